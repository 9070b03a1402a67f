/** Reads blocks as earlier versions wrote them: columns of bytes that were deflated. */

import { crc32, inflateRawSync } from 'node:zlib';
import { VarintReader } from '../model/varint.ts';
import type { BlockVisitor } from './blocks.ts';
import { ColumnReader, type Weights } from './columns-1.ts';

const LARGEST_BLOCK = 64 * 1024 * 1024;
const MOST_SLOTS = 100_000;
const CHECKSUM_BYTES = 4;

/** @throws Error where the bytes are no block of format 1, or are damaged. */
export function readBlock1(bytes: Uint8Array, visitor: BlockVisitor): void {
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

/** Format, start and step come first. */
function readHead(reader: VarintReader): { slots: number; series: number } {
  for (let known = 3; known > 0; known--) reader.read();
  const [slots, series] = [reader.read(), reader.read()];
  if (slots === 0 || slots > MOST_SLOTS) throw new RangeError(`a block has ${slots} slots`);
  return { slots, series };
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

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum;
}
