/** From the API's series to what a chart draws. Pure; a gap stays a gap and a zero a zero. */

import type { CodeClass, Point, QueryAnswer } from '../../server/api/contract.ts';
import type { ChartEvent } from './chart-events.ts';
import type { Ghost } from './ghost.ts';
import type { Heat } from './heat.ts';

/** A stretch of time `[from, to)` in which nothing was measured. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

export interface Line {
  readonly key: string;
  readonly label: string;
  /** One value per step; null where there is none. */
  readonly values: readonly (number | null)[];
}

export interface ChartData {
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
  /** Starts of the steps. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** Requests per second in each step: 0 where there was none, null where nothing was measured. */
  readonly requests: readonly (number | null)[];
  readonly gaps: readonly Gap[];
  /** The same some time before, drawn behind; on steps of its own. */
  readonly ghost?: Ghost | null;
  /** How latencies were spread, drawn behind their percentiles. */
  readonly heat?: Heat | null;
  /** What happened in the time shown, the earliest first. */
  readonly events?: readonly ChartEvent[];
  /** A line across, such as the threshold of an alert. */
  readonly limit?: { readonly label: string; readonly value: number } | null;
}

type Bounds = Pick<QueryAnswer, 'from' | 'measuredTo' | 'step'>;

/** Starts of the steps that an answer covers, but for the newest, of which only a part was measured. */
export function stepsOf({ from, measuredTo, step }: Bounds): number[] {
  const times: number[] = [];
  for (let time = Math.ceil(from / step) * step; time + step <= measuredTo; time += step) times.push(time);
  return times;
}

/** A series' values at the given times; null where it has no point. */
export function valuesAt(points: readonly Point[], times: readonly number[]): (number | null)[] {
  const known = new Map(points);
  return times.map((time) => finite(known.get(time)));
}

function finite(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The sum of several series at each step; null where none of them has a value. */
export function sumAt(lines: readonly Pick<Line, 'values'>[], steps: number): (number | null)[] {
  return Array.from({ length: steps }, (_, index) => {
    const known = lines.map(({ values }) => values[index] ?? null).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
  });
}

/**
 * How many steps to show: those at the end whose scrapes are not yet due are left out, since nothing is missing there.
 * What has been missing for longer than `graceMs` is a gap.
 */
export function dueSteps(known: readonly boolean[], stepMs: number, graceMs: number): number {
  const due = known.lastIndexOf(true) + 1;
  return due > 0 && (known.length - due) * stepMs <= graceMs ? due : known.length;
}

/** Stretches in which nothing was measured. */
export function findGaps(times: readonly number[], stepMs: number, requests: readonly (number | null)[]): Gap[] {
  const gaps: { from: number; to: number }[] = [];
  for (const [index, from] of times.entries()) {
    if (typeof requests[index] === 'number') continue;
    const last = gaps[gaps.length - 1];
    if (last?.to === from) last.to = from + stepMs;
    else gaps.push({ from, to: from + stepMs });
  }
  return gaps;
}

interface Parts {
  readonly stepMs: number;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly requests: readonly (number | null)[];
  readonly graceMs: number;
}

function assemble(parts: Parts): ChartData {
  const { stepMs, graceMs, lines } = parts;
  const known = parts.requests.map((rate, index) => rate === 0 || lines.some(({ values }) => values[index] !== null));
  const due = dueSteps(known, stepMs, graceMs);
  const times = parts.times.slice(0, due);
  const requests = parts.requests.slice(0, due);
  const from = times[0] ?? 0;
  return {
    from,
    to: from + times.length * stepMs,
    stepMs,
    times,
    lines: lines.map((line) => ({ ...line, values: line.values.slice(0, due) })),
    requests,
    gaps: findGaps(times, stepMs, requests),
  };
}

export const CODE_CLASSES: readonly CodeClass[] = ['2xx', '3xx', '4xx', '5xx'];

/**
 * Rate by class of status, from 2xx up. Where any class was measured, one without a point had no request; a class that
 * never occurred is left out, but 2xx always stands. `graceMs`: how late the newest figures may be.
 */
export function codeClassData(answer: QueryAnswer, graceMs: number): ChartData {
  const times = stepsOf(answer);
  const found = CODE_CLASSES.map((code) => {
    const points = answer.series.find(({ labels }) => labels.code_class === code)?.points ?? [];
    return { key: code, label: code, values: valuesAt(points, times) };
  });
  const requests = sumAt(found, times.length);
  const lines = found
    .map((line) => ({
      ...line,
      values: line.values.map((value, index) => value ?? (requests[index] === null ? null : 0)),
    }))
    .filter(({ key, values }) => key === '2xx' || values.some((value) => (value ?? 0) > 0));
  return assemble({ stepMs: answer.step, times, lines, requests, graceMs });
}

export interface NamedAnswer {
  readonly key: string;
  readonly label: string;
  readonly answer: QueryAnswer;
}

/**
 * Several signals of one service as lines over the steps that all answers cover; null while they do not belong together.
 * `rates` tells where there was no request from where nothing was measured.
 */
export function lineData(named: readonly NamedAnswer[], rates: QueryAnswer, graceMs: number): ChartData | null {
  const answers = [...named.map(({ answer }) => answer), rates];
  if (answers.some(({ step }) => step !== rates.step)) return null;
  const from = Math.max(...answers.map((answer) => answer.from));
  const measuredTo = Math.min(...answers.map((answer) => answer.measuredTo));
  const times = stepsOf({ from, measuredTo, step: rates.step });
  const lines = named.map(({ key, label, answer }) => ({
    key,
    label,
    values: valuesAt(answer.series[0]?.points ?? [], times),
  }));
  const counted = rates.series.map(({ points }) => ({ values: valuesAt(points, times) }));
  return assemble({
    stepMs: rates.step,
    times,
    lines,
    requests: sumAt(counted, times.length),
    graceMs,
  });
}

/** One series on its own; `rates` are the requests per second that go with it. */
export function trendData(
  points: readonly Point[],
  rates: readonly Point[],
  bounds: Bounds,
  graceMs: number,
): ChartData {
  const times = stepsOf(bounds);
  const lines = [{ key: 'trend', label: '', values: valuesAt(points, times) }];
  return assemble({ stepMs: bounds.step, times, lines, requests: valuesAt(rates, times), graceMs });
}

/** Position of the step that holds a moment, or of the nearest one at the ends; -1 without steps. */
export function stepAt(data: Pick<ChartData, 'times' | 'stepMs'>, moment: number): number {
  const first = data.times[0];
  if (first === undefined) return -1;
  return Math.min(data.times.length - 1, Math.max(0, Math.floor((moment - first) / data.stepMs)));
}

/** The step that holds a moment; without one, the newest that was measured. */
export function shownStep(data: ChartData, moment: number | null): number {
  if (moment !== null) return stepAt(data, moment);
  const newest = data.requests.findLastIndex((rate) => rate !== null);
  return newest < 0 ? data.times.length - 1 : newest;
}

/** Values that stand alone between gaps: a line through them has no length, so they are drawn as points. */
export function isLone(values: readonly (number | null)[], index: number): boolean {
  return values[index] !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null;
}

/** Why a step has no value. */
export function missing({ requests }: Pick<ChartData, 'requests'>, step: number): string {
  const rate = requests[step] ?? null;
  if (rate === null) return 'no data';
  return rate === 0 ? 'no requests' : 'not known';
}
