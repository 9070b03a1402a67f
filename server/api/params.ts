/** From a query string to bounded, typed values; everything unknown is refused with what would be right. */

import { FILTERS, type Filters } from '../measure/filters.ts';
import { formatDuration, parseDuration } from '../model/duration.ts';

/** An error of the caller's; the message says what is wrong and what would be right. */
export class RequestError extends Error {
  override name = 'RequestError';
  readonly status: number;
  readonly code: string;

  constructor(message: string, status = 400, code = 'bad_request') {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Raw parameters, every value as a list. */
export type RawParams = Readonly<Record<string, readonly string[]>>;

const MAX_VALUES = 100;
/** Characters of a name that is asked for. */
const MAX_NAME = 4096;
const MAX_WINDOW_MS = 400 * 86_400_000;
const MINUTE_MS = 60_000;
/** Most steps of one answer. */
export const MAX_POINTS = 11_000;

export interface TimeRange {
  readonly from: number;
  readonly to: number;
  /** As a duration, such as `5m`. */
  readonly window: string;
  /** How much earlier the figures are to be from; times are told as if they were not. */
  readonly offsetMs: number;
}

/** The time that figures are from. */
export function shifted({ from, to, offsetMs }: TimeRange): { from: number; to: number } {
  return { from: from - offsetMs, to: to - offsetMs };
}

/** Parameters by name, from the text behind the `?`. @throws RequestError for names that are not in `allowed`. */
export function parseParams(search: string, allowed: readonly string[]): RawParams {
  const params: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(search)) {
    if (!allowed.includes(name))
      throw new RequestError(`unknown parameter "${name}": this address takes ${allowed.join(', ') || 'none'}`);
    const values = params[name] ?? [];
    params[name] = values;
    if (values.push(value) > MAX_VALUES) throw new RequestError(`"${name}" is given more than ${MAX_VALUES} times`);
  }
  return params;
}

/** The one value of a parameter. */
export function single(params: RawParams, name: string): string | undefined {
  const values = params[name];
  if (values && values.length > 1) throw new RequestError(`"${name}" is given ${values.length} times: give it once`);
  return values?.[0];
}

export function oneOf<T extends string>(params: RawParams, name: string, choices: readonly T[]): T | undefined {
  const value = single(params, name);
  if (value === undefined) return undefined;
  const choice = choices.find((known) => known === value);
  if (choice === undefined)
    throw new RequestError(`${name}=${value} is unknown: ${name} is one of ${choices.join(', ')}`);
  return choice;
}

/** A comma-separated and repeatable list of known words. */
export function listOf<T extends string>(params: RawParams, name: string, choices: readonly T[]): T[] {
  const words = (params[name] ?? []).flatMap((value) => value.split(',')).filter((word) => word !== '');
  return [...new Set(words)].map((word) => {
    const choice = choices.find((known) => known === word);
    if (choice === undefined) throw new RequestError(`${name}=${word} is unknown: ${name} takes ${choices.join(', ')}`);
    return choice;
  });
}

/** A whole number within bounds. */
export function wholeNumber(
  params: RawParams,
  name: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const text = single(params, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new RequestError(`${name}=${text} is no whole number from ${min} to ${max}`);
  return value;
}

/** @throws RequestError for values that are no name of anything. */
export function filtersOf(params: RawParams): Filters {
  for (const name of FILTERS)
    for (const value of params[name] ?? []) {
      if (value.length > MAX_NAME)
        throw new RequestError(`"${name}" has ${value.length} characters: a name has at most ${MAX_NAME}`);
      if (value.includes('\0')) throw new RequestError(`"${name}" has a NUL in it: no name has one`);
    }
  return Object.fromEntries(FILTERS.flatMap((name) => (params[name] ? [[name, params[name]]] : [])));
}

/**
 * `window` back from now (default 5m), or `from` and `to` as Unix milliseconds or RFC 3339. Either is whole steps of
 * `slotMs`: the first one holds `from`, the last one `to` or now. So whatever is asked for is the same sum of the same
 * steps, and nothing that happened in between is cut off.
 */
export function timeRange(params: RawParams, { now, slotMs }: { now: number; slotMs: number }): TimeRange {
  const from = single(params, 'from');
  const to = single(params, 'to');
  const window = single(params, 'window');
  const offsetMs = offsetOf(params);
  if (from === undefined && to === undefined) {
    const length = Math.ceil(durationOf('window', window ?? '5m') / slotMs) * slotMs;
    const end = Math.ceil(now / slotMs) * slotMs;
    return { from: end - length, to: end, window: window ?? '5m', offsetMs };
  }
  if (window !== undefined) throw new RequestError('give either window, or from and to');
  if (from === undefined) throw new RequestError('to needs from');
  const start = timeOf('from', from);
  const end = to === undefined ? now : timeOf('to', to);
  if (end <= start) throw new RequestError('to must be later than from');
  if (end - start > MAX_WINDOW_MS)
    throw new RequestError(`from and to are more than ${formatDuration(MAX_WINDOW_MS)} apart`);
  const whole = { from: Math.floor(start / slotMs) * slotMs, to: Math.ceil(end / slotMs) * slotMs };
  return { ...whole, window: formatDuration(end - start), offsetMs };
}

/** Whole minutes, so that steps stay whole. */
function offsetOf(params: RawParams): number {
  const text = single(params, 'offset');
  if (text === undefined) return 0;
  const offset = durationOf('offset', text);
  if (offset % MINUTE_MS !== 0)
    throw new RequestError(`offset=${text} is not whole minutes: write for example 1h or 1w`);
  return offset;
}

/** Length of a step in milliseconds: as asked for, or one that gives about 120 points. */
export function stepOf(params: RawParams, { from, to }: TimeRange, slotMs: number): number {
  const asked = single(params, 'step');
  const step = asked === undefined ? Math.max(slotMs, roundStep((to - from) / 120)) : durationOf('step', asked);
  if ((to - from) / step > MAX_POINTS)
    throw new RequestError(`step=${asked} gives more than ${MAX_POINTS} points: use a longer step`);
  return step;
}

const ROUND_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200];

function roundStep(ms: number): number {
  return (ROUND_STEPS_S.find((seconds) => seconds * 1000 >= ms) ?? 86_400) * 1000;
}

/** Milliseconds of a duration from 1 s to the longest window. */
export function durationOf(name: string, text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined)
    throw new RequestError(`${name}=${text} is not a duration: write for example 30s, 5m or 1h`);
  if (duration < 1000 || duration > MAX_WINDOW_MS)
    throw new RequestError(`${name}=${text} is out of bounds: from 1s to ${formatDuration(MAX_WINDOW_MS)}`);
  return duration;
}

function timeOf(name: string, text: string): number {
  const time = /^\d{1,16}$/.test(text) ? Number(text) : /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isFinite(time))
    throw new RequestError(`${name}=${text} is not a time: write Unix milliseconds, or 2026-11-21T10:00:00Z`);
  return time;
}
