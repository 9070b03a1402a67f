/** The sums of one group over one time, packed: whether and when it was measured, its counts and its histograms. */

import { COUNTERS } from '../model/flow.ts';
import type { Interval } from '../model/spread.ts';
import type { VarintReader, VarintWriter } from '../model/varint.ts';
import type { BinTable } from './bin-table.ts';
import { type GroupSum, SOURCES } from './group-sum.ts';

/** Writes all that was counted in the first cell. */
export function writeKept(out: VarintWriter, { runs, counters, timeouts, bins }: GroupSum): void {
  const union = runs.intervals();
  out.write(union.length);
  for (const { from, to } of union) {
    out.write(from);
    out.write(to - from);
  }
  let used = 0;
  for (let counter = 0; counter < COUNTERS.length; counter++) if (counters.value(counter, 0) > 0) used++;
  out.write(used);
  for (let counter = 0; counter < COUNTERS.length; counter++) {
    const count = counters.value(counter, 0);
    if (count === 0) continue;
    out.write(counter);
    out.write(count);
  }
  out.write(timeouts.value(0, 0));
  for (let index = 0; index < SOURCES.length; index++) writeTable(out, bins[index]);
}

function writeTable(out: VarintWriter, table: BinTable | undefined): void {
  if (!table) {
    out.write(0);
    return;
  }
  const { counts, keys } = table;
  const sorted = table.sorted();
  let used = 0;
  for (let i = 0; i < keys.length; i++) if (counts[sorted[i] ?? 0] !== 0) used++;
  out.write(used);
  let previous = 0;
  for (let i = 0; i < keys.length; i++) {
    const row = sorted[i] ?? 0;
    const count = counts[row] ?? 0;
    if (count === 0) continue;
    const key = keys[row] ?? 0;
    out.write(key - previous);
    out.write(count);
    previous = key;
  }
}

/** Adds what was written to the first cell. */
function addKept(sum: GroupSum, reader: VarintReader): void {
  for (let left = reader.read(); left > 0; left--) {
    const from = reader.read();
    sum.runs.add(from, from + reader.read());
  }
  for (let left = reader.read(); left > 0; left--) sum.counters.add(reader.read(), 0, reader.read());
  const timeouts = reader.read();
  if (timeouts > 0) sum.timeouts.add(0, 0, timeouts);
  for (const source of SOURCES) {
    let left = reader.read();
    if (left === 0) continue;
    const table = sum.table(source);
    for (let key = 0; left > 0; left--) {
      key += reader.read();
      table.add(key, reader.read());
    }
  }
}

/**
 * What was counted in a part of a known time becomes what was counted in the rest of it, which begins or ends with that
 * time. @returns false where the part holds what the whole does not, or the rest what was not measured in it: one of them
 * is not what it is taken for.
 */
export function becomeRest(sum: GroupSum, known: VarintReader | undefined, rest: Interval): boolean {
  sum.counters.negate();
  sum.timeouts.negate();
  for (const table of sum.bins) table?.negate();
  if (known) addKept(sum, known);
  if (sum.counters.isNegative || sum.timeouts.isNegative || sum.bins.some((table) => table?.isNegative)) return false;
  sum.runs.cut(rest);
  if (sum.isMeasured) return true;
  const isEmpty = sum.counters.isZero;
  sum.reset(sum.labels);
  return isEmpty;
}
