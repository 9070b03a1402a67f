import { z } from 'zod';
import { formatDuration, parseDuration } from '../model/duration.ts';
import { BIN_KEYS, binBounds, binOf } from '../model/histogram.ts';
import { isSignalName, SIGNAL_NAMES, SIGNAL_UNITS, type SignalName, type SignalUnit } from '../model/signals.ts';
import { parseSize } from '../model/size.ts';
import { type Parsed, textField } from './fields.ts';
import { described, shown } from './problem.ts';
import { closest } from './suggest.ts';

/** A number with the unit that it was written in. */
export interface Quantity {
  readonly value: number;
  readonly unit: SignalUnit;
}

/** How a threshold of each unit is written. */
export const EXAMPLES: Readonly<Record<SignalUnit, string>> = {
  duration: '500ms',
  share: '1%',
  rate: '100/s',
  byte_rate: '10MiB/s',
  count: '20',
};

const MAX_NAME = 100;

/** Name of an alert, as Prometheus allows them for label values that people type. */
export function alertNameField() {
  return textField('SlowService', (text): Parsed<string> => {
    if (/^[\p{L}_][\p{L}\p{N}_ .:-]*$/u.test(text) && text.length <= MAX_NAME) return { value: text };
    return {
      error: `${shown(text)} is not a name; use a letter, then letters, digits, spaces, _, -, . and :, at most ${MAX_NAME}`,
    };
  });
}

export function signalField() {
  return textField('latency_p99', (text): Parsed<SignalName> => {
    if (isSignalName(text)) return { value: text };
    const meant = closest(text, SIGNAL_NAMES);
    const hint = meant === undefined ? `write one of ${SIGNAL_NAMES.join(', ')}` : `did you mean ${meant}?`;
    return { error: `${shown(text)} is not a signal; ${hint}` };
  });
}

/** A threshold: a number with the unit of a signal; which unit is right is known with the signal. */
export function quantityField() {
  return z.unknown().transform((written, context): Quantity => {
    const quantity = readQuantity(written);
    if (quantity) return quantity;
    const examples = Object.values(EXAMPLES).join(', ');
    const what =
      typeof written === 'string'
        ? `${shown(written)} is not a threshold`
        : `expected a threshold, found ${described(written)}`;
    context.issues.push({ code: 'custom', message: `${what}; write ${examples}`, input: written });
    return z.NEVER;
  });
}

/** Undefined for what is no quantity. */
export function readQuantity(written: unknown): Quantity | undefined {
  if (typeof written === 'number')
    return Number.isFinite(written) && written >= 0 ? { value: written, unit: 'count' } : undefined;
  if (typeof written !== 'string') return undefined;
  const share = /^(\d+(?:\.\d+)?) ?%$/.exec(written);
  if (share) return { value: Number((Number(share[1]) / 100).toPrecision(12)), unit: 'share' };
  const rate = /^(\d+(?:\.\d+)?) ?\/s$/.exec(written);
  if (rate) return { value: Number(rate[1]), unit: 'rate' };
  const bytes = /^(.+?) ?\/s$/.exec(written);
  if (bytes) return asQuantity(parseSize(bytes[1] ?? ''), 'byte_rate');
  return asQuantity(parseDuration(written), 'duration');
}

function asQuantity(value: number | undefined, unit: SignalUnit): Quantity | undefined {
  return value === undefined ? undefined : { value, unit };
}

/** What is wrong with a threshold of this signal; undefined when nothing is. */
export function thresholdProblem(signal: SignalName, written: unknown): string | undefined {
  const quantity = readQuantity(written);
  if (!quantity) return undefined;
  const unit = SIGNAL_UNITS[signal];
  if (quantity.unit !== unit) {
    const what = quantity.unit === 'count' ? 'has no unit' : `is no threshold of ${signal}`;
    return `${shown(String(written))} ${what}; write ${EXAMPLES[unit]}`;
  }
  return unit === 'share' && quantity.value > 1 ? `${shown(String(written))} is above 100 %` : undefined;
}

/** Share of good requests, above 0 and below 1. */
export function objectiveField() {
  return textField('99.9%', (text): Parsed<number> => {
    const match = /^(\d+(?:\.\d+)?) ?%$/.exec(text);
    if (match === null) return { error: `${shown(text)} is not a share; write 99.9%` };
    const share = Number((Number(match[1]) / 100).toPrecision(12));
    if (share >= 1) return { error: `${text} leaves no request that may fail; write less than 100%, such as 99.9%` };
    return share > 0 ? { value: share } : { error: `${text} asks for nothing; write more than 0%` };
  });
}

/** `success`, or `latency < 300ms` with a bound that no bin of Envoy's is cut by. */
export function goodField() {
  return textField('success or "latency < 300ms"', (text): Parsed<'success' | { readonly belowMs: number }> => {
    if (text === 'success') return { value: 'success' };
    const bound = /^latency *< *(\w+)$/.exec(text)?.[1];
    const belowMs = bound === undefined ? undefined : parseDuration(bound);
    if (belowMs === undefined)
      return { error: `${shown(text)} is not success or a latency; write success or "latency < 300ms"` };
    if (belowMs < 1) return { error: `${bound} is below what Envoy measures; write 1ms or more` };
    const key = binOf(belowMs);
    const [lower, upper] = binBounds(Math.min(key, BIN_KEYS - 1));
    if (lower === belowMs) return { value: { belowMs } };
    if (upper === Number.POSITIVE_INFINITY)
      return { error: `${bound} is above what Envoy tells apart; write "latency < ${formatDuration(lower)}" or less` };
    return {
      error: `Envoy does not tell requests below ${bound} from those above: its bin goes from ${formatDuration(lower)} to ${formatDuration(upper)}; write "latency < ${formatDuration(lower)}" or "latency < ${formatDuration(upper)}"`,
    };
  });
}
