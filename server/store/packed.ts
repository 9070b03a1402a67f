/**
 * What records and blocks hold, unpacked into flat arrays that are quick to add up again and again. A list is a run of
 * entries per series: its position in `ids`, the number of its entries, then these.
 */

import { type BlockHead, type BlockVisitor, readBlock, readBlockHead } from './blocks.ts';
import { FIRST_GAUGE, type RecordVisitor, readRecord } from './record.ts';

/** The narrowest that holds what is in it. */
export type PackedList = Uint16Array | Uint32Array | Float64Array;

/** What stands in a list from `at` up to `end`. */
export interface ListPart {
  readonly list: PackedList;
  readonly at: number;
  readonly end: number;
}

/** Sums over one interval: entries are pairs of a counter or key and its count. */
export interface PackedSums {
  readonly ids: readonly number[];
  readonly numbers: PackedList;
  /** Undefined where they were not asked for. */
  readonly bins: PackedList | undefined;
  /** By slot, of which a record has one: a position in `ids`, a gauge, and a value per slot, one after the other. */
  readonly gauges: PackedList;
}

/**
 * A block, its slots added up, or slot by slot: entries are then a counter or key, the number of slots in which it isn't
 * 0, and pairs of such a slot and its count.
 */
export interface PackedBlock extends BlockHead, PackedSums {
  /** Slots before this one were left out, but for their gauges. */
  readonly first: number;
}

/** Gathers lists of entries, and how large their numbers get. To be used again and again. */
class Gatherer {
  values = new Float64Array(4096);
  length = 0;
  largest = 0;
  private position = -1;
  /** Where the number of entries of the list is, and of the entry's own. */
  private listSize = 0;
  private entrySize = 0;

  clear(): void {
    this.length = 0;
    this.largest = 0;
    this.position = -1;
  }

  /** Begins an entry of a series' list. */
  begin(position: number, column: number): void {
    if (this.position !== position) {
      this.position = position;
      this.push(position);
      this.listSize = this.push(0);
    }
    this.grow(this.listSize);
    this.push(column);
  }

  /** Adds an entry that is a pair. */
  add(position: number, column: number, value: number): void {
    this.begin(position, column);
    this.push(value);
  }

  /** Begins the list of an entry. */
  beginInner(): void {
    this.entrySize = this.push(0);
  }

  pushInner(slot: number, value: number): void {
    this.push(slot);
    this.push(value);
    this.grow(this.entrySize);
  }

  /** Where the number is. */
  push(value: number): number {
    if (this.length === this.values.length) this.makeRoom();
    this.values[this.length] = value;
    if (value > this.largest) this.largest = value;
    return this.length++;
  }

  finish(): PackedList {
    return packNumbers(this);
  }

  private grow(at: number): void {
    const size = (this.values[at] ?? 0) + 1;
    this.values[at] = size;
    if (size > this.largest) this.largest = size;
  }

  private makeRoom(): void {
    const larger = new Float64Array(this.values.length * 2);
    larger.set(this.values);
    this.values = larger;
  }
}

const LARGEST_16_BIT = 0xffff;

interface Numbers {
  readonly values: Float64Array;
  /** How many of the values are meant, and the largest of them. */
  readonly length: number;
  readonly largest: number;
}

/** A copy of whole numbers from 0 on. */
export function packNumbers({ values, length, largest }: Numbers): PackedList {
  if (largest > 0xffff_ffff) return values.slice(0, length);
  const list = largest > LARGEST_16_BIT ? new Uint32Array(length) : new Uint16Array(length);
  for (let i = 0; i < length; i++) list[i] = values[i] ?? 0;
  return list;
}

const numbers = new Gatherer();
const gauges = new Gatherer();
const bins = new Gatherer();

interface RecordPart {
  readonly direction: number;
  readonly bins: boolean;
}

/** One direction of a record; `ids` are its series by position. @throws RangeError where the bytes are no record. */
export function packRecord(bytes: Uint8Array, part: RecordPart, ids: readonly number[]): PackedSums {
  for (const list of [numbers, gauges, bins]) list.clear();
  readRecord(bytes, part, recordParts);
  return packedLists(ids, part.bins);
}

/** Gathers what a record tells. */
class RecordParts implements RecordVisitor {
  private position = 0;

  flow(position: number): boolean {
    this.position = position;
    return true;
  }

  number(column: number, value: number): void {
    if (column < FIRST_GAUGE) {
      numbers.add(this.position, column, value);
      return;
    }
    gauges.push(this.position);
    gauges.push(column - FIRST_GAUGE);
    gauges.push(value);
  }

  bin(key: number, count: number): void {
    bins.add(this.position, key, count);
  }
}

const recordParts = new RecordParts();

const NO_NUMBERS: Numbers = { values: new Float64Array(0), length: 0, largest: 0 };

/** Lists of narrow numbers share their memory: a piece of its own for each would take more than the numbers do. */
function packedLists(ids: readonly number[], withBins: boolean): PackedSums {
  const lists = [numbers, gauges, withBins ? bins : NO_NUMBERS];
  if (lists.some(({ largest }) => largest > LARGEST_16_BIT))
    return { ids, numbers: numbers.finish(), gauges: gauges.finish(), bins: withBins ? bins.finish() : undefined };
  const all = new Uint16Array(numbers.length + gauges.length + (withBins ? bins.length : 0));
  let end = 0;
  const taken = ({ values, length }: Numbers): PackedList => {
    const start = end;
    for (let i = 0; i < length; i++) all[end++] = values[i] ?? 0;
    return all.subarray(start, end);
  };
  return { ids, numbers: taken(numbers), gauges: taken(gauges), bins: withBins ? taken(bins) : undefined };
}

/** A block, added up. @throws Error where the bytes are no block, or are damaged. */
export function packTotals(bytes: Uint8Array, withBins: boolean): PackedBlock {
  return packBlock(bytes, withBins, (list, values) => {
    let sum = 0;
    for (let slot = 0; slot < values.length; slot++) sum += values[slot] ?? 0;
    list.push(sum);
  });
}

/** A block slot by slot, those that end after `from`. @throws Error where the bytes are no block, or are damaged. */
export function packSlots(bytes: Uint8Array, withBins: boolean, from: number): PackedBlock {
  const { fromMs, stepMs, slots } = readBlockHead(bytes);
  const first = Math.min(slots, Math.max(0, Math.floor((from - fromMs) / stepMs)));
  const pack = (list: Gatherer, values: Float64Array): void => {
    list.beginInner();
    for (let slot = first; slot < values.length; slot++) {
      const value = values[slot] ?? 0;
      if (value !== 0) list.pushInner(slot, value);
    }
  };
  return { ...packBlock(bytes, withBins, pack), first };
}

type PackColumn = (list: Gatherer, values: Float64Array) => void;

function packBlock(bytes: Uint8Array, withBins: boolean, pack: PackColumn): PackedBlock {
  for (const list of [numbers, gauges, bins]) list.clear();
  const ids: number[] = [];
  let at = -1;
  const visitor: BlockVisitor = {
    /** Told of once for its numbers, and once more for its histograms. */
    series: (id) => {
      at = ids.indexOf(id);
      if (at < 0) at = ids.push(id) - 1;
      return true;
    },
    number: (column, values) => {
      if (column >= FIRST_GAUGE) {
        gauges.push(at);
        gauges.push(column - FIRST_GAUGE);
        for (let slot = 0; slot < values.length; slot++) gauges.push(values[slot] ?? 0);
        return;
      }
      numbers.begin(at, column);
      pack(numbers, values);
    },
  };
  if (withBins)
    visitor.bin = (key, counts) => {
      bins.begin(at, key);
      pack(bins, counts);
    };
  readBlock(bytes, visitor);
  return { ...readBlockHead(bytes), ...packedLists(ids, withBins), first: 0 };
}

/** Bytes that it takes, about. */
export function sizeOf({ ids, numbers, bins, gauges }: PackedSums): number {
  return 700 + 8 * ids.length + numbers.byteLength + (bins?.byteLength ?? 0) + gauges.byteLength;
}
