/**
 * What the totals of a target grew by, told by the record of the same scrape: most lists of bins and counters are in
 * both, byte for byte, and two of three need not be kept.
 */

import { END } from '../../model/growth.ts';
import { VarintReader, VarintWriter } from '../../model/varint.ts';
import { DIRECTIONS, FIRST_GAUGE } from '../record.ts';

/** In front of growth: it is as it was, or as told here. */
const AS_IT_WAS = 0;
const LEAN = 1;
/** Instead of a list that the record has, told by its distance from the one that was expected: a list follows. */
const LIST = 0;
/** Lists of a record that one is looked for among, from the one that is expected on. */
const MOST_TRIED = 64;

const WRITER = new VarintWriter(4096);

/** Valid until the next call. */
export function leanGrowth(growth: Uint8Array, record: Uint8Array): Uint8Array {
  WRITER.clear();
  if (growth.length === 0) return WRITER.view();
  try {
    WRITER.write(LEAN);
    writeLean(growth, record);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    WRITER.clear();
    WRITER.write(AS_IT_WAS);
    WRITER.writeBytes(growth);
  }
  return WRITER.view();
}

/** @throws RangeError where the bytes are not what {@link leanGrowth} made for this record. */
export function growthFrom(lean: Uint8Array, record: Uint8Array): Uint8Array {
  if (lean.length === 0) return lean;
  const reader = new VarintReader(lean);
  if (reader.read() === AS_IT_WAS) return lean.subarray(reader.at);
  WRITER.clear();
  const lists = listsOf(record);
  const list = (all: RecordLists) => () => {
    const coded = reader.read();
    if (coded === LIST) copyList(reader, lean);
    else all.write(coded - 1);
  };
  copy(reader, lean, { bins: list(lists.bins), counters: list(lists.counters) });
  return WRITER.finish();
}

function writeLean(growth: Uint8Array, record: Uint8Array): void {
  const reader = new VarintReader(growth);
  const lists = listsOf(record);
  const list = (all: RecordLists) => () => {
    const from = reader.at;
    skipPairs(reader, reader.read());
    const coded = all.codeOf(growth, from, reader.at);
    WRITER.write(coded === undefined ? LIST : coded + 1);
    if (coded === undefined) WRITER.writeBytes(growth.subarray(from, reader.at));
  };
  copy(reader, growth, { bins: list(lists.bins), counters: list(lists.counters) });
}

/** Everything of growth but its lists: counters, then histograms, then flows, and what comes behind. */
function copy(reader: VarintReader, bytes: Uint8Array, list: { bins(): void; counters(): void }): void {
  const from = reader.at;
  while (reader.read() !== END) reader.read();
  WRITER.writeBytes(bytes.subarray(from, reader.at));
  for (let step = copyNumber(reader); step !== END; step = copyNumber(reader)) list.bins();
  for (let next = copyNumber(reader); next !== END; next = copyNumber(reader)) {
    list.counters();
    list.bins();
  }
  WRITER.writeBytes(bytes.subarray(reader.at));
}

function copyNumber(reader: VarintReader): number {
  const number = reader.read();
  WRITER.write(number);
  return number;
}

function copyList(reader: VarintReader, bytes: Uint8Array): void {
  const from = reader.at;
  skipPairs(reader, reader.read());
  WRITER.writeBytes(bytes.subarray(from, reader.at));
}

function skipPairs(reader: VarintReader, pairs: number): void {
  for (let left = 2 * pairs; left > 0; left--) reader.read();
}

/** Lists of a record, as growth has them: the number of pairs, then these. */
class RecordLists {
  private readonly lists: Uint8Array[] = [];
  private expected = 0;

  add(list: Uint8Array): void {
    this.lists.push(list);
  }

  /** How far the same list is from the one that is expected, which is the one behind the last; undefined where it is none of them. */
  codeOf(bytes: Uint8Array, from: number, to: number): number | undefined {
    const { lists, expected } = this;
    for (let distance = 0; distance < Math.min(lists.length, MOST_TRIED); distance++) {
      if (!isSame(lists[(expected + distance) % lists.length], bytes, from, to)) continue;
      this.expected = expected + distance + 1;
      return distance;
    }
    return undefined;
  }

  write(distance: number): void {
    const list = this.lists[(this.expected + distance) % this.lists.length];
    if (!list) throw new RangeError('a list that the record does not have');
    this.expected += distance + 1;
    WRITER.writeBytes(list);
  }
}

function isSame(list: Uint8Array | undefined, bytes: Uint8Array, from: number, to: number): boolean {
  if (!list || list.length !== to - from) return false;
  for (let i = 0; i < list.length; i++) if (list[i] !== bytes[from + i]) return false;
  return true;
}

function listsOf(record: Uint8Array): { bins: RecordLists; counters: RecordLists } {
  const bins = new RecordLists();
  const counters = new RecordLists();
  if (record.length === 0) return { bins, counters };
  const reader = new VarintReader(record);
  const sizes = DIRECTIONS.map(() => ({ numbers: reader.read(), bins: reader.read() }));
  for (const size of sizes) {
    for (const end = reader.at + size.numbers; reader.at < end; ) counters.add(countersAt(reader, record));
    for (const end = reader.at + size.bins; reader.at < end; ) bins.add(binsAt(reader, record));
  }
  return { bins, counters };
}

function binsAt(reader: VarintReader, record: Uint8Array): Uint8Array {
  reader.read();
  const from = reader.at;
  skipPairs(reader, reader.read());
  return record.subarray(from, reader.at);
}

const COUNTERS = new VarintWriter(256);

/** Growth has no gauges, which are behind the counters. */
function countersAt(reader: VarintReader, record: Uint8Array): Uint8Array {
  reader.read();
  const from = reader.at;
  const pairs = reader.read();
  const start = reader.at;
  let end = start;
  let count = 0;
  for (let left = pairs; left > 0; left--) {
    const column = reader.read();
    reader.read();
    if (column >= FIRST_GAUGE) continue;
    count++;
    end = reader.at;
  }
  if (count === pairs) return record.subarray(from, end);
  COUNTERS.clear();
  COUNTERS.write(count);
  COUNTERS.writeBytes(record.subarray(start, end));
  return COUNTERS.finish();
}
