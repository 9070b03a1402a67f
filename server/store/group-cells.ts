/** The numbers of a group on their way into an answer. */

import { COUNTERS, STORED_GAUGES } from '../model/flow.ts';
import { type Interval, overlapMs } from '../model/spread.ts';
import { GROUP_FIELDS, type NumberWriter } from './answer.ts';
import type { CellColumns } from './cell-columns.ts';
import type { CellGrid } from './cell-grid.ts';
import { unionOf } from './coverage.ts';
import type { GroupSum } from './group-sum.ts';
import { encodeLatency } from './latency-cells.ts';

export interface EncodeOptions {
  readonly grid: CellGrid;
  readonly bins: boolean;
  readonly quantiles: readonly number[] | undefined;
}

const NO_LATENCY = { samples: -1, quantiles: -1, bins: -1 };

/** Where its fields are. */
export function encodeGroup(out: NumberWriter, sum: GroupSum, { grid, bins, quantiles }: EncodeOptions): number {
  const { cells } = sum;
  const runs = sum.runs.intervals();
  const all = sum.tails.isEmpty ? runs : unionOf([...runs, ...sum.tails.intervals()]);
  const at = out.reserve(GROUP_FIELDS.length);
  for (let counter = 0; counter < COUNTERS.length; counter++) {
    out.set(at + GROUP_FIELDS.counters + counter, encodeColumn(out, sum.counters, counter));
    out.set(at + GROUP_FIELDS.expected + counter, encodeColumn(out, sum.expected, counter));
  }
  out.set(at + GROUP_FIELDS.gauges, encodeGauges(out, sum, { grid, all }));
  out.set(at + GROUP_FIELDS.measured, encodeMeasured(out, grid, { runs, all }));
  out.set(at + GROUP_FIELDS.timeouts, encodeColumn(out, sum.timeouts, 0));
  const latency = bins
    ? encodeLatency(out, { tables: sum.bins, timeouts: sum.timeouts, cells, quantiles })
    : NO_LATENCY;
  out.set(at + GROUP_FIELDS.latency, latency.samples);
  out.set(at + GROUP_FIELDS.quantiles, latency.quantiles);
  out.set(at + GROUP_FIELDS.bins, latency.bins);
  return at;
}

function encodeColumn(out: NumberWriter, columns: CellColumns, column: number): number {
  const from = columns.at(column);
  if (from < 0) return -1;
  const at = out.reserve(columns.cells);
  for (let cell = 0; cell < columns.cells; cell++) out.set(at + cell, columns.values[from + cell] ?? 0);
  return at;
}

function encodeGauges(
  out: NumberWriter,
  { cells, gauges }: GroupSum,
  { grid, all }: { grid: CellGrid; all: readonly Interval[] },
): number {
  const at = out.reserve(cells * (1 + STORED_GAUGES.length));
  let next = 0;
  for (let cell = 0; cell < cells; cell++) {
    const moment = grid.moments[cell] ?? 0;
    while (next < all.length && (all[next]?.to ?? 0) < moment) next++;
    const interval = all[next];
    out.set(at + cell, interval && interval.from < moment && interval.to >= moment ? 1 : 0);
    for (let gauge = 0; gauge < STORED_GAUGES.length; gauge++)
      out.set(at + (1 + gauge) * cells + cell, gauges.value(gauge, cell));
  }
  return at;
}

/** Cells without a run in them are not measured, whatever is expected. */
function encodeMeasured(
  out: NumberWriter,
  grid: CellGrid,
  { runs, all }: { runs: readonly Interval[]; all: readonly Interval[] },
): number {
  const { steps } = grid.grid;
  const at = out.reserve(steps + 1);
  let total = 0;
  let [run, first] = [0, 0];
  for (let cell = 0; cell < steps; cell++) {
    const interval = grid.interval(cell);
    out.set(at + cell, total);
    while ((runs[run]?.to ?? Number.POSITIVE_INFINITY) <= interval.from) run++;
    while ((all[first]?.to ?? Number.POSITIVE_INFINITY) <= interval.from) first++;
    const known = runs[run];
    if (!known || overlapMs(known, interval) === 0) continue;
    for (let i = first; i < all.length && (all[i]?.from ?? 0) < interval.to; i++) {
      const pair = out.reserve(2);
      out.set(pair, Math.max(all[i]?.from ?? 0, interval.from));
      out.set(pair + 1, Math.min(all[i]?.to ?? 0, interval.to));
      total++;
    }
  }
  out.set(at + steps, total);
  return at;
}
