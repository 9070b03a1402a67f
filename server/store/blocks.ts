/**
 * A block: what all series of one unit did in several slots of one tier, in columns. Counters and gauges are compressed
 * apart from histograms, so that a question about rates never touches these. Blocks are additive: two of the same
 * series and slot add up.
 */

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
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
const COMPRESSION = {
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
};

export class BlockWriter {
  private readonly head = new VarintWriter();
  private readonly index = new VarintWriter();
  private readonly columns = new ColumnWriter();

  encode({ fromMs, stepMs, slots, series }: Block): Uint8Array {
    const { head } = this;
    head.clear();
    for (const number of [FORMAT, fromMs, stepMs, slots, series.length]) head.write(number);
    const parts = [...this.encodeNumbers(series, slots), ...this.encodeBins(series, slots)];
    for (const part of parts) head.write(part.length);
    return Buffer.concat([head.view(), ...parts]);
  }

  private encodeNumbers(series: readonly BlockSeries[], slots: number): Uint8Array[] {
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
    return this.compressed();
  }

  private encodeBins(series: readonly BlockSeries[], slots: number): Uint8Array[] {
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
    return this.compressed();
  }

  private clear(): void {
    this.index.clear();
    this.columns.clear();
  }

  private compressed(): Uint8Array[] {
    return [this.index, ...STREAMS.map((name) => this.columns.streams[name])].map((stream) =>
      stream.size === 0 ? new Uint8Array(0) : zstdCompressSync(stream.view(), COMPRESSION),
    );
  }
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
  const lengths = Array.from({ length: 2 * (1 + STREAMS.length) }, () => reader.read());
  let start = reader.at;
  const parts = lengths.map((length) => {
    start += length;
    return bytes.subarray(start - length, start);
  });
  if (start !== bytes.length) throw new RangeError('a block has another length than it says');
  const wanted = readNumbers(opened(parts.slice(0, 1 + STREAMS.length)), { slots, series }, visitor);
  if (visitor.bin && wanted.some(({ isWanted }) => isWanted))
    readBins(opened(parts.slice(1 + STREAMS.length)), { slots, wanted }, visitor);
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

function opened(parts: readonly Uint8Array[]): Part {
  const readers = parts.map(
    (part) => new VarintReader(part.length === 0 ? part : zstdDecompressSync(part, { maxOutputLength: LARGEST_BLOCK })),
  );
  const [index, gaps, pairs, differences] = readers;
  if (!index || !gaps || !pairs || !differences) throw new RangeError('a block lacks a part');
  return { index, columns: new ColumnReader({ gaps, pairs, differences }) };
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

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum;
}
