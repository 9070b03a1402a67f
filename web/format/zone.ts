/** The time zone that times are told in: the reader's own, or UTC. */

import { signal } from '@preact/signals';

export type Zone = 'local' | 'utc';

/** Follows the address bar. */
export const timeZone = signal<Zone>('local');

export interface Clock {
  readonly year: number;
  /** From 0 to 11. */
  readonly month: number;
  readonly day: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

/** What calendar and clock show at a moment. */
export function clockAt(moment: number): Clock {
  const date = new Date(moment);
  return timeZone.value === 'utc'
    ? {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth(),
        day: date.getUTCDate(),
        hours: date.getUTCHours(),
        minutes: date.getUTCMinutes(),
        seconds: date.getUTCSeconds(),
      }
    : {
        year: date.getFullYear(),
        month: date.getMonth(),
        day: date.getDate(),
        hours: date.getHours(),
        minutes: date.getMinutes(),
        seconds: date.getSeconds(),
      };
}

/** The moment at which calendar and clock show this; a day past the end of a month is in the next one. */
export function momentOf({ year, month, day, hours, minutes, seconds }: Clock): number {
  return timeZone.value === 'utc'
    ? Date.UTC(year, month, day, hours, minutes, seconds)
    : new Date(year, month, day, hours, minutes, seconds).getTime();
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** A moment as a field for date and time takes it: `2026-11-21T14:03:15`. */
export function fieldTime(moment: number): string {
  const { year, month, day, hours, minutes, seconds } = clockAt(moment);
  return `${String(year).padStart(4, '0')}-${two(month + 1)}-${two(day)}T${two(hours)}:${two(minutes)}:${two(seconds)}`;
}

/** The moment that such a field names; null where it names none. */
export function momentOfField(text: string): number | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?/
    .exec(text)
    ?.slice(1)
    .map((part) => Number(part ?? 0));
  if (!parts) return null;
  const [year = 0, month = 1, day = 1, hours = 0, minutes = 0, seconds = 0] = parts;
  return momentOf({ year, month: month - 1, day, hours, minutes, seconds });
}
