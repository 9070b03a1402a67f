/** Answers for charts: /api/v1/query and /api/v1/heatmap. */

import type { Point, TierName } from './figures.ts';

export interface QueryAnswer {
  signal: string;
  /** Length of a step in milliseconds. */
  step: number;
  from: number;
  to: number;
  /** Scrapes that were due until then are in it: of steps that end later, only a part was measured. */
  measuredTo: number;
  /** How much earlier than their times the values are from. */
  offsetMs: number;
  tiers: TierName[];
  series: QuerySeries[];
  /** Of all that `top` left out, together; labels are those that they share by themselves (class, direction). */
  other: QuerySeries[];
}

export interface QuerySeries {
  labels: Record<string, string>;
  points: Point[];
}

export interface HeatmapAnswer {
  step: number;
  from: number;
  to: number;
  offsetMs: number;
  tiers: TierName[];
  /** Starts of the steps. */
  times: number[];
  /** Bounds of the rows, `[lower, upper)`, one beside the other; the last upper one is null where it is not known. */
  boundsMs: [number, number | null][];
  /** Samples of each step by row; null where nothing was measured. */
  counts: (number[] | null)[];
  /** Requests of each step that timed out and have no sample; null where nothing was measured. */
  timeouts: (number | null)[];
}
