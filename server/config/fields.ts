import { z } from 'zod';
import { formatDuration, parseDuration } from '../model/duration.ts';
import { formatSize, parseSize } from '../model/size.ts';
import { described, shown } from './problem.ts';

/** The value that was meant, or what is wrong with what was written and what would be right. */
export type Parsed<T> = { readonly value: T } | { readonly error: string };

/** A schema of one value from a function that reads it; `undefined` stands for a key that is missing. */
export function field<T>(parse: (written: unknown) => Parsed<T>) {
  return z.unknown().transform((written, context): T => {
    const parsed = parse(written);
    if ('value' in parsed) return parsed.value;
    context.issues.push({ code: 'custom', message: parsed.error, input: written });
    return z.NEVER;
  });
}

/** A field that takes text only. `example` is what the error suggests to write instead of another type. */
export function textField<T>(example: string, parse: (text: string) => Parsed<T>) {
  return field((written) => {
    if (typeof written === 'string') return parse(written);
    if (written === undefined) return { error: `missing; write ${example}` };
    if (typeof written === 'number' || typeof written === 'boolean') {
      return {
        error: `expected text, found ${described(written)}; write ${example}, in quotes where it is all digits`,
      };
    }
    return { error: `expected text, found ${described(written)}; write ${example}` };
  });
}

/** As {@link textField}, of something that no message may show. */
export function secretField<T>(example: string, parse: (text: string) => Parsed<T>) {
  return field((written) => {
    if (typeof written === 'string') return parse(written);
    const kind = typeof written === 'object' || written === undefined ? described(written) : `a ${typeof written}`;
    return { error: `expected text, found ${kind}; write ${example}, in quotes where it is all digits` };
  });
}

/** A duration in milliseconds within the limits, which are written as durations. */
export function durationField(limits: { min: string; max: string }) {
  return field((written) => {
    if (typeof written === 'number')
      return { error: `${written} has no unit; write ${written}s for seconds, or ${written}m` };
    const value = typeof written === 'string' ? parseDuration(written) : undefined;
    if (value === undefined) return { error: `${notA(written, 'duration')}; write 500ms, 15s, 1m30s, 2d or 1w` };
    return within(value, { ...limits, parse: parseDuration, format: formatDuration });
  });
}

/** A size in bytes within the limits, which are written as sizes. */
export function sizeField(limits: { min: string; max: string }) {
  return field((written) => {
    const text = typeof written === 'number' ? String(written) : written;
    const value = typeof text === 'string' ? parseSize(text) : undefined;
    if (value !== undefined) return within(value, { ...limits, parse: parseSize, format: formatSize });
    const decimal = typeof text === 'string' ? /^(\d+) ?([kKMGT])i?[bB]?$/.exec(text) : null;
    const meant = decimal === null ? '16MiB, 10GiB or plain bytes' : `${decimal[1]}${decimal[2]?.toUpperCase()}iB`;
    return { error: `${notA(written, 'size')}; write ${meant}` };
  });
}

/** A whole number within the limits. */
export function countField(limits: { min: number; max: number }) {
  return field((written) => {
    const range = `a whole number from ${limits.min} to ${limits.max}`;
    if (typeof written !== 'number') return { error: `expected ${range}, found ${described(written)}` };
    const fits = Number.isInteger(written) && written >= limits.min && written <= limits.max;
    return fits ? { value: written } : { error: `${written} is out of range; write ${range}` };
  });
}

export function switchField() {
  return field((written) =>
    typeof written === 'boolean'
      ? { value: written }
      : { error: `expected true or false, found ${described(written)}` },
  );
}

/** One of a few words. */
export function choiceField<const T extends string>(...choices: readonly T[]) {
  return field((written): Parsed<T> => {
    const value = choices.find((choice) => choice === written);
    if (value !== undefined) return { value };
    const what = typeof written === 'string' ? shown(written) : described(written);
    return { error: `${what} is not one of ${choices.join(', ')}` };
  });
}

function notA(written: unknown, noun: string): string {
  return typeof written === 'string'
    ? `${shown(written)} is not a ${noun}`
    : `expected a ${noun}, found ${described(written)}`;
}

interface Limits {
  readonly min: string;
  readonly max: string;
  readonly parse: (text: string) => number | undefined;
  readonly format: (value: number) => string;
}

function within(value: number, { min, max, parse, format }: Limits): Parsed<number> {
  if (value < (parse(min) ?? 0)) return { error: `${format(value)} is too little; write ${min} or more` };
  if (value > (parse(max) ?? Number.POSITIVE_INFINITY))
    return { error: `${format(value)} is too much; write ${max} or less` };
  return { value };
}
