/** The stretch of time that is being marked to look at more closely, in all charts of the page at once. */

import { signal } from '@preact/signals';
import type { FixedRange } from '../state/url.ts';

/** Where the marking began and where it is now, in Unix milliseconds; null while none is under way. */
export const selection = signal<{ readonly start: number; readonly end: number } | null>(null);

/** Whole steps that hold both moments, at least two of them. */
export function selectedRange(start: number, end: number, stepMs: number): FixedRange {
  const from = Math.floor(Math.min(start, end) / stepMs) * stepMs;
  const to = Math.ceil(Math.max(start, end) / stepMs) * stepMs;
  return { from, to: Math.max(to, from + 2 * stepMs) };
}
