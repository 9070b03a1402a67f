/**
 * A block: what all series of one unit did in several slots of one tier, in columns. Counters and gauges lie apart from
 * histograms, and a series from the others, so that a question touches only what it is about; either part has a
 * checksum. Blocks are additive: two of the same series and slot add up.
 */

import { crc32 } from 'node:zlib';
import { CODE_CLASSES } from '../model/flow.ts';
import { VarintReader, VarintWriter } from '../model/varint.ts';
import { BitReader, BitWriter } from './bits.ts';
import { readBlock1 } from './blocks-1.ts';
import { ColumnReader, ColumnWeights, ColumnWriter } from './columns.ts';

/** One series of a block. Columns that are all 0 are left out. */
export interface BlockSeries {
  readonly id: number;
  /** Columns by position in `COUNTERS`, and those of `STORED_GAUGES` far behind these; ascending. */
  readonly numbers: ReadonlyMap<number, Float64Array>;
  /** Columns by bin or bucket key, ascending. */
  readonly bins: ReadonlyMap<number, Float64Array>;
}

export interface Block {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly slots: number;
  readonly series: readonly BlockSeries[];
}

/** Called with what is in a block. Arrays hold one number per slot and are good until the callback returns. */
export interface BlockVisitor {
  /** @returns whether the series is wanted; columns of others are not told. */
  series(id: number): boolean;
  number(column: number, values: Float64Array): void;
  /** Absent: histograms are not even read. */
  bin?(key: number, counts: Float64Array): void;
}

export interface BlockHead {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly slots: number;
}

/** Blocks of format 1, of earlier versions, are read, not written. */
const FORMAT = 2;
const MOST_SLOTS = 100_000;
const CHECKSUM_BYTES = 4;
/** Rice's parameters: how many columns there are, and how far apart those of numbers, and keys of bins. */
const COLUMNS_K = 3;
const NUMBERS_K = 4;
const KEYS_K = 1;
/** The counters of requests come first: the others are expected to be in proportion to their sum. */
const REQUESTS = CODE_CLASSES.length;

export class BlockWriter {
  private readonly head = new VarintWriter();
  private readonly numbers = new BitWriter();
  private readonly bins = new BitWriter();
  private readonly columns = new ColumnWriter();

  encode({ fromMs, stepMs, slots, series }: Block): Uint8Array {
    const { head, numbers, bins } = this;
    head.clear();
    numbers.clear();
    bins.clear();
    for (const number of [FORMAT, fromMs, stepMs, slots, series.length]) head.write(number);
    let previous = 0;
    for (const one of series) {
      const [numbersBefore, binsBefore] = [numbers.size, bins.size];
      const requests = this.writeNumbers(one.numbers, slots);
      this.writeBins(one.bins, requests);
      head.write(zigzag(one.id - previous));
      head.write(numbers.size - numbersBefore);
      head.write(bins.size - binsBefore);
      previous = one.id;
    }
    const checked = Buffer.concat([head.view(), numbers.view()]);
    return Buffer.concat([checked, checksum(checked), bins.view(), checksum(bins.view())]);
  }

  private writeNumbers(columns: BlockSeries['numbers'], slots: number): ColumnWeights {
    const requests = new Requests(slots);
    const { numbers } = this;
    numbers.writeRice(columns.size, COLUMNS_K);
    let next = 0;
    for (const [column, values] of columns) {
      numbers.writeRice(column - next, NUMBERS_K);
      this.columns.write(numbers, values, requests.weightsFor(column));
      requests.add(column, values);
      next = column + 1;
    }
    numbers.align();
    return requests.weights;
  }

  /** What all bins have together comes first: it is about as many as there were requests. */
  private writeBins(columns: BlockSeries['bins'], requests: ColumnWeights): void {
    if (columns.size === 0) return;
    const { bins } = this;
    const samples = sumOfColumns(columns.values(), requests.bySlot.length);
    bins.writeRice(columns.size, COLUMNS_K);
    this.columns.write(bins, samples.bySlot, requests);
    let next = 0;
    for (const [key, counts] of columns) {
      bins.writeRice(key - next, KEYS_K);
      this.columns.write(bins, counts, samples);
      next = key + 1;
    }
    bins.align();
  }
}

/** The sum of a series' counters of requests, as far as they have come; these come first. */
class Requests {
  private readonly bySlot: Float64Array;
  private total = 0;
  private known: ColumnWeights | undefined;

  constructor(slots: number) {
    this.bySlot = new Float64Array(slots);
  }

  get weights(): ColumnWeights {
    this.known ??= new ColumnWeights({ bySlot: this.bySlot, total: this.total });
    return this.known;
  }

  weightsFor(column: number): ColumnWeights | undefined {
    return column >= REQUESTS && this.total > 0 ? this.weights : undefined;
  }

  add(column: number, values: Float64Array): void {
    if (column >= REQUESTS) return;
    for (let slot = 0; slot < values.length; slot++) {
      const value = values[slot] ?? 0;
      this.bySlot[slot] = (this.bySlot[slot] ?? 0) + value;
      this.total += value;
    }
  }
}

const zigzag = (difference: number): number => (difference >= 0 ? difference * 2 : -difference * 2 - 1);
const unzigzag = (number: number): number => (number % 2 === 0 ? number / 2 : -(number + 1) / 2);

function sumOfColumns(columns: Iterable<Float64Array>, slots: number): ColumnWeights {
  const bySlot = new Float64Array(slots);
  for (const column of columns)
    for (let slot = 0; slot < slots; slot++) bySlot[slot] = (bySlot[slot] ?? 0) + (column[slot] ?? 0);
  return new ColumnWeights({ bySlot, total: sumOf(bySlot) });
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let slot = 0; slot < values.length; slot++) sum += values[slot] ?? 0;
  return sum;
}

function checksum(bytes: Uint8Array): Uint8Array {
  const sum = Buffer.alloc(CHECKSUM_BYTES);
  sum.writeUInt32LE(crc32(bytes));
  return sum;
}

/** @throws RangeError where the bytes are no block. */
export function readBlockHead(bytes: Uint8Array): BlockHead {
  const reader = new VarintReader(bytes);
  reader.read();
  return readHead(reader);
}

function readHead(reader: VarintReader): BlockHead {
  const [fromMs, stepMs, slots] = [reader.read(), reader.read(), reader.read()];
  if (slots === 0 || slots > MOST_SLOTS) throw new RangeError(`a block has ${slots} slots`);
  return { fromMs, stepMs, slots };
}

interface Place {
  readonly id: number;
  readonly numbers: number;
  readonly bins: number;
}

/**
 * Tells `visitor` what a block holds, series by series: all numbers of all series first, then all bins of all series.
 * @throws Error where the bytes are no block, or are damaged.
 */
export function readBlock(bytes: Uint8Array, visitor: BlockVisitor): void {
  const reader = new VarintReader(bytes);
  const format = reader.read();
  if (format === 1) {
    readBlock1(bytes, visitor);
    return;
  }
  if (format !== FORMAT) throw new RangeError(`a block has format ${format}, this version knows ${FORMAT}`);
  const { slots } = readHead(reader);
  const places = placesOf(reader);
  const startOfBins = reader.at + places.reduce((sum, { numbers }) => sum + numbers, 0) + CHECKSUM_BYTES;
  const endOfBins = startOfBins + places.reduce((sum, { bins }) => sum + bins, 0);
  if (endOfBins + CHECKSUM_BYTES !== bytes.length) throw new RangeError('a block has another length than it says');
  check(bytes, 0, startOfBins - CHECKSUM_BYTES);
  const wanted = readNumbers({ bytes, places, slots, start: reader.at }, visitor);
  if (!visitor.bin || !wanted.some((requests) => requests)) return;
  check(bytes, startOfBins, endOfBins);
  readBins({ bytes, places, slots, start: startOfBins, wanted }, visitor);
}

function placesOf(reader: VarintReader): Place[] {
  const places: Place[] = [];
  let id = 0;
  for (let left = reader.read(); left > 0; left--) {
    id += unzigzag(reader.read());
    places.push({ id, numbers: reader.read(), bins: reader.read() });
  }
  return places;
}

function check(bytes: Uint8Array, from: number, to: number): void {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(to, to + CHECKSUM_BYTES);
  const told = (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  if (crc32(bytes.subarray(from, to)) !== told) throw new RangeError('a block is damaged: its checksum does not fit');
}

interface Part {
  readonly bytes: Uint8Array;
  readonly places: readonly Place[];
  readonly slots: number;
  readonly start: number;
}

/** Requests of the series that are wanted. */
function readNumbers({ bytes, places, slots, start }: Part, visitor: BlockVisitor): (Requests | undefined)[] {
  const reader = new BitReader(bytes);
  const columns = new ColumnReader(reader, slots);
  const values = new Float64Array(slots);
  let at = start;
  return places.map(({ id, numbers }) => {
    const end = at + numbers;
    reader.seek(at);
    at = end;
    if (!visitor.series(id)) return undefined;
    const requests = new Requests(slots);
    let next = 0;
    for (let left = reader.readRice(COLUMNS_K); left > 0; left--) {
      const column = next + reader.readRice(NUMBERS_K);
      columns.read(values, requests.weightsFor(column));
      if (reader.at > end) throw new RangeError('a series ends too late');
      requests.add(column, values);
      visitor.number(column, values);
      next = column + 1;
    }
    return requests;
  });
}

function readBins(part: Part & { wanted: readonly (Requests | undefined)[] }, visitor: BlockVisitor): void {
  const { bytes, places, slots, start, wanted } = part;
  const reader = new BitReader(bytes);
  const columns = new ColumnReader(reader, slots);
  const counts = new Float64Array(slots);
  const bySlot = new Float64Array(slots);
  let at = start;
  places.forEach(({ id, bins }, index) => {
    const end = at + bins;
    reader.seek(at);
    at = end;
    const requests = wanted[index];
    if (!requests || bins === 0) return;
    visitor.series(id);
    const size = reader.readRice(COLUMNS_K);
    columns.read(bySlot, requests.weights);
    const samples = new ColumnWeights({ bySlot, total: sumOf(bySlot) });
    let next = 0;
    for (let left = size; left > 0; left--) {
      const key = next + reader.readRice(KEYS_K);
      columns.read(counts, samples);
      if (reader.at > end) throw new RangeError('a series ends too late');
      visitor.bin?.(key, counts);
      next = key + 1;
    }
  });
}
