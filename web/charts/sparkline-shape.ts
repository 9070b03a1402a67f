/** The outline of a small trend. Pure. */

import type { ChartData } from './chart-data.ts';

export interface SparklineShape {
  /** SVG path of the line, one stroke per stretch without a gap. */
  readonly line: string;
  /** Places of values that stand alone between gaps. */
  readonly dots: readonly { readonly x: number; readonly y: number }[];
  /** Stretches without data. */
  readonly gaps: readonly { readonly x: number; readonly width: number }[];
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Scales the first line into a box, from zero at its bottom to the largest value one pixel below its top. */
export function sparklineShape(trend: ChartData, { width, height }: Size): SparklineShape {
  const top = Math.max(0, ...valuesOf(trend).map((value) => value ?? 0));
  const span = Math.max(1, trend.to - trend.from);
  const x = (time: number) => round(((time - trend.from) / span) * width);
  const y = (value: number) => round(height - 1 - (top === 0 ? 0 : (value / top) * (height - 2)));
  const strokes = stretches(trend).map((stretch) =>
    stretch.map(({ time, value }) => ({ x: x(time + trend.stepMs / 2), y: y(value) })),
  );
  return {
    line: strokes
      .filter((stroke) => stroke.length > 1)
      .map((stroke) => `M${stroke.map((point) => `${point.x} ${point.y}`).join('L')}`)
      .join(''),
    dots: strokes.filter((stroke) => stroke.length === 1).flat(),
    gaps: trend.gaps.map((gap) => ({ x: x(gap.from), width: round(x(gap.to) - x(gap.from)) })),
  };
}

function valuesOf(trend: ChartData): readonly (number | null)[] {
  return trend.lines[0]?.values ?? [];
}

function stretches(trend: ChartData): { time: number; value: number }[][] {
  const values = valuesOf(trend);
  const found: { time: number; value: number }[][] = [[]];
  for (const [index, time] of trend.times.entries()) {
    const value = values[index] ?? null;
    if (value === null) found.push([]);
    else found[found.length - 1]?.push({ time, value });
  }
  return found.filter((stretch) => stretch.length > 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
