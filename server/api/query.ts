import { eachCell, PERCENTILES } from '../measure/cells.ts';
import { type MeasuredGroup, type MeasuredLabel, type MeasuredQuery, received, sent } from '../measure/measured.ts';
import { signal } from '../measure/signals.ts';
import { Slices } from '../measure/slices.ts';
import { CODE_CLASSES, COUNTER_INDEX } from '../model/flow.ts';
import { QUERY_SIGNAL_NAMES, type QuerySignalName } from '../model/signals.ts';
import type { Cell } from '../store/store.ts';
import type { Sources } from './asking.ts';
import type { QueryAnswer, QuerySeries } from './contract.ts';
import {
  filtersOf,
  listOf,
  oneOf,
  type RawParams,
  RequestError,
  shifted,
  stepOf,
  type TimeRange,
  timeRange,
  wholeNumber,
} from './params.ts';
import { Points, Times } from './points.ts';
import { topGroups } from './top.ts';

export const QUERY_PARAMS = [
  'signal',
  'by',
  'step',
  'window',
  'from',
  'to',
  'offset',
  'top',
  'direction',
  'service',
  'namespace',
  'region',
  'zone',
  'instance',
];

/** What series can be told apart by. */
export const QUERY_LABELS = [
  'service',
  'namespace',
  'instance',
  'region',
  'zone',
  'peer',
  'code_class',
  'direction',
] as const;
export const DIRECTIONS = ['inbound', 'outbound'] as const;
/** Most series and points of one answer. */
const MAX_SERIES = 10_000;
const MAX_ANSWER_POINTS = 500_000;
/** Most series that `top` may keep. */
export const MAX_TOP = 1000;

type Direction = (typeof DIRECTIONS)[number];

/** Series of a signal over steps that are aligned to multiples of the step; the first one holds `from`. */
export async function querySignal(
  sources: Sources,
  params: RawParams,
  clock: MeasuredClock,
): Promise<RenderedQueryAnswer> {
  const name = oneOf(params, 'signal', QUERY_SIGNAL_NAMES);
  if (!name) throw new RequestError(`signal is missing: one of ${QUERY_SIGNAL_NAMES.join(', ')}`);
  const { needsBins = false, quantile, ofClass, connections = false } = signal(name);
  const by = listOf(params, 'by', QUERY_LABELS);
  if (by.includes('code_class') && !ofClass)
    throw new RequestError('by=code_class needs signal=requests or signal=request_rate');
  const top = wholeNumber(params, 'top', { min: 1, max: MAX_TOP });
  if (connections && top !== undefined)
    throw new RequestError('top ranks by requests, of which bare connections have none: leave it out');
  const range = alignedRange(params, clock);
  const labels = by.filter((label): label is MeasuredLabel => label !== 'code_class' && label !== 'direction');
  const filters = filtersOf(params);
  const quantiles = quantile === undefined ? [] : askedWith(quantile, { filters, by: labels });
  const query: MeasuredQuery = {
    ...shifted(range),
    stepMs: range.step,
    filters,
    by: labels,
    bins: needsBins,
    connections,
    ...(quantile === undefined ? {} : { quantiles }),
  };
  const answer = { series: new SeriesList(), other: new SeriesList() };
  const times = new Times(range);
  for (const direction of directionsOf(params, by)) {
    const ask = (asked: MeasuredQuery) => (direction === 'outbound' ? sent(sources, asked) : received(sources, asked));
    const { kept, other } = await topGroups(query, top, ask);
    const shape = { name, by, direction, times, quantiles };
    for (const group of kept) await answer.series.add(group, shape);
    if (other) await answer.other.add(other, shape);
  }
  return {
    signal: name,
    step: range.step,
    from: range.from,
    to: range.to,
    measuredTo: Math.min(range.to, clock.measuredTo + range.offsetMs),
    offsetMs: range.offsetMs,
    tiers: sources.tiers(),
    series: answer.series.all,
    other: answer.other.all,
  };
}

/** Those that the charts of a service show together. */
const CHARTED: readonly number[] = [PERCENTILES.p50, PERCENTILES.p95, PERCENTILES.p99];

/** A service's charts ask for one percentile each: all have the same question, so that the store is asked once for all. */
function askedWith(quantile: number, { filters, by }: Pick<MeasuredQuery, 'filters' | 'by'>): readonly number[] {
  const isChart = by.length === 0 && filters.service?.length === 1;
  return isChart && CHARTED.includes(quantile) ? CHARTED : [quantile];
}

type RenderedSeries = Omit<QuerySeries, 'points'> & { readonly points: Points };

/** The same as JSON. */
export type RenderedQueryAnswer = Omit<QueryAnswer, 'series' | 'other'> &
  Readonly<Record<'series' | 'other', readonly RenderedSeries[]>>;

export interface Clock {
  readonly now: number;
  readonly slotMs: number;
}

export interface MeasuredClock extends Clock {
  /** Up to when all scrapes that were due have been told of. */
  readonly measuredTo: number;
}

/** Whole steps that hold the time asked for. */
export function alignedRange(params: RawParams, clock: Clock): TimeRange & { readonly step: number } {
  const range = timeRange(params, clock);
  const step = stepOf(params, range, clock.slotMs);
  return { ...range, step, from: Math.floor(range.from / step) * step, to: Math.ceil(range.to / step) * step };
}

/** Series of an answer, which grows as long as it may. */
class SeriesList {
  readonly all: RenderedSeries[] = [];
  private points = 0;
  private readonly slices = new Slices();

  /** @throws RequestError when the answer gets too large. */
  async add(group: MeasuredGroup, shape: Shape): Promise<void> {
    if (this.slices.isUp) await this.slices.pause();
    const series = seriesOf(group, shape);
    this.all.push(...series);
    this.points += series.length * shape.times.length;
    if (this.all.length > MAX_SERIES)
      throw new RequestError(
        `the answer has more than ${MAX_SERIES} series: filter, group by fewer labels, or ask for the top=20`,
        400,
        'too_large',
      );
    if (this.points > MAX_ANSWER_POINTS)
      throw new RequestError(
        `the answer has more than ${MAX_ANSWER_POINTS} points: use a longer step, filter, or group by fewer labels`,
        400,
        'too_large',
      );
  }
}

/** Without a filter a service's figures are what it received; grouped by direction, both are told apart. */
function directionsOf(params: RawParams, by: readonly string[]): readonly Direction[] {
  const asked = oneOf(params, 'direction', DIRECTIONS);
  if (asked) return [asked];
  return by.includes('direction') ? DIRECTIONS : ['inbound'];
}

interface Shape {
  readonly name: QuerySignalName;
  readonly by: readonly string[];
  readonly direction: Direction;
  readonly times: Times;
  /** What a signal that is a quantile was asked for with. */
  readonly quantiles: readonly number[];
}

function seriesOf(group: MeasuredGroup, { name, by, direction, times, quantiles }: Shape): RenderedSeries[] {
  const { value, ofClass } = signal(name);
  const labels = { ...group.labels, ...(by.includes('direction') ? { direction } : {}) };
  const points = (of: (cell: Cell) => number | null): Points => {
    const values = new Float64Array(times.length);
    eachCell(group, (cell, index) => {
      values[index] = (cell && of(cell)) ?? Number.NaN;
    });
    return new Points(times, values);
  };
  if (!by.includes('code_class') || !ofClass) return [{ labels, points: points((cell) => value(cell, quantiles)) }];
  let isUnknown = false;
  eachCell(group, (cell) => {
    isUnknown ||= (cell?.counters[COUNTER_INDEX.unclassed] ?? 0) > 0;
  });
  return [...CODE_CLASSES, ...(isUnknown ? (['unclassed'] as const) : [])].map((codeClass) => ({
    labels: { ...labels, code_class: codeClass === 'unclassed' ? 'unknown' : codeClass },
    points: points((cell) => ofClass(cell, codeClass)),
  }));
}
