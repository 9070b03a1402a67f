/**
 * A block: what all series of one unit did in several slots of one tier, in columns. Counters and gauges are compressed
 * apart from histograms, so that a question about rates never touches these; either part has a checksum. Blocks are additive: two of the same
 * series and slot add up.
 */

import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { VarintReader, VarintWriter } from '../model/varint.ts';
import { ColumnReader, ColumnWriter, STREAMS, type Weights } from './columns.ts';

/** One series of a block. Columns that are all 0 are left out. */
export interface BlockSeries {
  readonly id: number;
  /** Columns by position in `COUNTERS`, and after these by position in `STORED_GAUGES`. */
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
  /** Absent: histograms are not even decompressed. */
  bin?(key: number, counts: Float64Array): void;
}

const FORMAT = 1;
const LARGEST_BLOCK = 64 * 1024 * 1024;
const MOST_SLOTS = 100_000;
/**
 * Measured against zstd at level 1: a sixth smaller, twice to three times the time to write, and small blocks, which
 * are most of all, are read in a third of the time, as zstd's cost is in its large contexts.
 */
const COMPRESSION = { level: 6 };
/** Less than this is stored as it is: opening a compressed piece takes longer than reading it. */
const SMALLEST_COMPRESSED = 256;
const CHECKSUM_BYTES = 4;

export class BlockWriter {
  private readonly smallestCompressed: number;
  private readonly head = new VarintWriter();
  private readonly index = new VarintWriter();
  private readonly columns = new ColumnWriter();

  /** Blocks that are soon written anew are better not compressed: that is most of the cost of reading small ones. */
  constructor({ isCompressed = true } = {}) {
    this.smallestCompressed = isCompressed ? SMALLEST_COMPRESSED : Number.POSITIVE_INFINITY;
  }

  encode({ fromMs, stepMs, slots, series }: Block): Uint8Array {
    const { head } = this;
    head.clear();
    for (const number of [FORMAT, fromMs, stepMs, slots, series.length]) head.write(number);
    this.encodeNumbers(series, slots);
    const numbers = this.packed();
    this.encodeBins(series, slots);
    const bins = this.packed();
    for (const { lengths, bytes } of [numbers, bins])
      for (const length of [...lengths, bytes.length]) head.write(length);
    const checked = Buffer.concat([head.view(), numbers.bytes]);
    return Buffer.concat([checked, checksum(checked), bins.bytes, checksum(bins.bytes)]);
  }

  private encodeNumbers(series: readonly BlockSeries[], slots: number): void {
    this.clear();
    const even = evenly(slots);
    for (const { id, numbers } of series) {
      this.index.write(id);
      this.index.write(numbers.size);
      for (const [column, values] of numbers) {
        this.index.write(column);
        this.index.writeByte(this.columns.write(values, even));
      }
    }
  }

  private encodeBins(series: readonly BlockSeries[], slots: number): void {
    this.clear();
    const even = evenly(slots);
    for (const { bins } of series) {
      this.index.write(bins.size);
      if (bins.size === 0) continue;
      const weights = weightsOf(bins.values(), slots);
      this.index.writeByte(this.columns.write(weights.bySlot, even));
      let previous = 0;
      for (const [key, counts] of bins) {
        this.index.write(key - previous);
        this.index.writeByte(this.columns.write(counts, weights));
        previous = key;
      }
    }
  }

  private clear(): void {
    this.index.clear();
    this.columns.clear();
  }

  private packed(): Packed {
    const streams = [this.index, ...STREAMS.map((name) => this.columns.streams[name])].map((stream) => stream.view());
    const bytes = Buffer.concat(streams);
    const small = bytes.length < this.smallestCompressed ? bytes : deflateRawSync(bytes, COMPRESSION);
    return { lengths: streams.map(({ length }) => length), bytes: small.length < bytes.length ? small : bytes };
  }
}

interface Packed {
  /** Of the streams, before compression. */
  readonly lengths: readonly number[];
  /** All streams; compressed where they are fewer than these lengths say. */
  readonly bytes: Uint8Array;
}

function checksum(bytes: Uint8Array): Uint8Array {
  const sum = Buffer.alloc(CHECKSUM_BYTES);
  sum.writeUInt32LE(crc32(bytes));
  return sum;
}

export interface BlockHead {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly slots: number;
}

export function readBlockHead(bytes: Uint8Array): BlockHead {
  return readHead(new VarintReader(bytes));
}

/**
 * Tells `visitor` what a block holds, series by series: all numbers of all series first, then all bins of all series.
 * @throws Error where the bytes are no block, or are damaged.
 */
export function readBlock(bytes: Uint8Array, visitor: BlockVisitor): void {
  const reader = new VarintReader(bytes);
  const { slots, series } = readHead(reader);
  const numbers = lengthsOf(reader);
  const bins = lengthsOf(reader);
  const endOfNumbers = reader.at + numbers.stored;
  const endOfBins = endOfNumbers + CHECKSUM_BYTES + bins.stored;
  if (endOfBins + CHECKSUM_BYTES !== bytes.length) throw new RangeError('a block has another length than it says');
  check(bytes, 0, endOfNumbers);
  const wanted = readNumbers(opened(bytes.subarray(reader.at, endOfNumbers), numbers), { slots, series }, visitor);
  if (!visitor.bin || !wanted.some(({ isWanted }) => isWanted)) return;
  check(bytes, endOfBins - bins.stored, endOfBins);
  readBins(opened(bytes.subarray(endOfBins - bins.stored, endOfBins), bins), { slots, wanted }, visitor);
}

interface Lengths {
  readonly streams: readonly number[];
  readonly whole: number;
  readonly stored: number;
}

function lengthsOf(reader: VarintReader): Lengths {
  const streams = [reader.read(), reader.read(), reader.read(), reader.read()];
  return { streams, whole: sumOf(streams), stored: reader.read() };
}

function check(bytes: Uint8Array, from: number, to: number): void {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(to, to + CHECKSUM_BYTES);
  const told = (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  if (crc32(bytes.subarray(from, to)) !== told) throw new RangeError('a block is damaged: its checksum does not fit');
}

function readHead(reader: VarintReader): BlockHead & { series: number } {
  const format = reader.read();
  if (format !== FORMAT) throw new RangeError(`a block has format ${format}, this version knows ${FORMAT}`);
  const [fromMs, stepMs, slots, series] = [reader.read(), reader.read(), reader.read(), reader.read()];
  if (slots === 0 || slots > MOST_SLOTS) throw new RangeError(`a block has ${slots} slots`);
  return { fromMs, stepMs, slots, series };
}

interface Part {
  readonly index: VarintReader;
  readonly columns: ColumnReader;
}

function opened(stored: Uint8Array, { streams, whole }: Lengths): Part {
  if (whole > LARGEST_BLOCK) throw new RangeError(`a part of a block has ${whole} bytes`);
  const bytes = stored.length < whole ? decompressed(stored, whole) : stored;
  if (bytes.length !== whole) throw new RangeError('a part of a block has another length than it says');
  let end = 0;
  const [index, gaps, pairs, differences] = streams.map((length) => {
    end += length;
    return new VarintReader(bytes.subarray(end - length, end));
  });
  if (!index || !gaps || !pairs || !differences) throw new RangeError('a block lacks a part');
  return { index, columns: new ColumnReader({ gaps, pairs, differences }) };
}

/** Room for all of it at once, and a byte more so that no further room is looked for. */
function decompressed(stored: Uint8Array, whole: number): Uint8Array {
  return inflateRawSync(stored, { maxOutputLength: whole, chunkSize: whole + 64 });
}

interface WantedSeries {
  readonly id: number;
  readonly isWanted: boolean;
}

function readNumbers(
  { index, columns }: Part,
  { slots, series }: { slots: number; series: number },
  visitor: BlockVisitor,
): WantedSeries[] {
  const values = new Float64Array(slots);
  const even = evenly(slots);
  return Array.from({ length: series }, () => {
    const id = index.read();
    const isWanted = visitor.series(id);
    for (let left = index.read(); left > 0; left--) {
      const column = index.read();
      columns.read(index.readByte(), values, even);
      if (isWanted) visitor.number(column, values);
    }
    return { id, isWanted };
  });
}

function readBins(
  { index, columns }: Part,
  { slots, wanted }: { slots: number; wanted: readonly WantedSeries[] },
  visitor: BlockVisitor,
): void {
  const counts = new Float64Array(slots);
  const bySlot = new Float64Array(slots);
  const even = evenly(slots);
  for (const { id, isWanted } of wanted) {
    const size = index.read();
    if (size === 0) continue;
    if (isWanted) visitor.series(id);
    columns.read(index.readByte(), bySlot, even);
    const weights = { bySlot, total: sumOf(bySlot) };
    let key = 0;
    for (let left = size; left > 0; left--) {
      key += index.read();
      columns.read(index.readByte(), counts, weights);
      if (isWanted) visitor.bin?.(key, counts);
    }
  }
}

const EVEN = new Map<number, Weights>();

function evenly(slots: number): Weights {
  let weights = EVEN.get(slots);
  if (!weights) {
    weights = { bySlot: new Float64Array(slots).fill(1), total: slots };
    if (EVEN.size < 1000) EVEN.set(slots, weights);
  }
  return weights;
}

function weightsOf(columns: Iterable<Float64Array>, slots: number): Weights & { bySlot: Float64Array } {
  const bySlot = new Float64Array(slots);
  for (const column of columns)
    for (let slot = 0; slot < slots; slot++) bySlot[slot] = (bySlot[slot] ?? 0) + (column[slot] ?? 0);
  return { bySlot, total: sumOf(bySlot) };
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum;
}
