/** Room for the names at the ends of lines: the same in all charts of a page, so that one moment stands in one line. */

import type { Chart, Point } from 'chart.js';

export type LineChart = Chart<'line', Point[]>;

/** Pixels: a letter of the widest, and what lies around it. */
const WIDTH = { least: 34, letter: 7, around: 12 };
/** A narrower chart has no names: they stand above it with their values. */
const NAMED_FROM_WIDTH = 420;

/** Letters of the longest name in every chart. */
const letters = new Map<LineChart, number>();

/** Whether names stand at the ends of lines. */
export function isNamed({ width }: { readonly width: number }): boolean {
  return width >= NAMED_FROM_WIDTH;
}

/** Pixels to leave at the right. */
export function roomForNames(chart: { readonly width: number }): number {
  return isNamed(chart) ? widest() : WIDTH.least;
}

function widest(): number {
  return Math.max(WIDTH.least, WIDTH.around + WIDTH.letter * Math.max(...letters.values()));
}

/** Tells which names a chart has, null when it goes; the others are laid out anew where that changes their room. */
export function setNames(chart: LineChart, names: readonly string[] | null): void {
  const before = widest();
  if (names === null) letters.delete(chart);
  else letters.set(chart, Math.max(0, ...names.map(({ length }) => length)));
  if (widest() === before) return;
  for (const other of letters.keys()) if (other !== chart) other.update('none');
}
