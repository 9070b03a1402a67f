/**
 * A round as a record of the queue: what is new and gone, and the values as bits that differ from those of the record
 * before (exclusive or), byte by byte in planes, packed with zstd. Nothing is rounded. Most values hardly change from one
 * round to the next, so that a sample takes a byte or two instead of a hundred and fifty.
 */

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { VarintReader, VarintWriter } from '../../model/varint.ts';
import type { Definitions } from './dictionary.ts';
import type { Column } from './round.ts';

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** Largest record, unpacked. */
const LARGEST = { maxOutputLength: 2 ** 30 };
const DOUBLE_BYTES = 8;

export interface RecordContent {
  readonly at: number;
  readonly definitions: Definitions;
  /** By number of series. */
  readonly values: Float64Array;
  /** Series, how many bins, keys, counts, and so on. */
  readonly histograms: Float64Array;
}

/** What the next record's values are told against. */
export class ValueMemory {
  private values = new Float64Array(0);
  private histograms = new Map<number, Float64Array>();

  clear(): void {
    this.values = new Float64Array(0);
    this.histograms.clear();
  }

  /** Makes values of differences and differences of values, in place; `next` is what they are told against later. */
  fold(values: Float64Array, next: 'before' | 'after'): void {
    const copy = next === 'before' ? values.slice() : undefined;
    exclusiveOr(values, this.values);
    this.values = copy ?? values.slice();
  }

  /** As `fold`; histograms of another number of bins than before stay as they are. */
  foldHistograms(histograms: Float64Array, next: 'before' | 'after'): void {
    const known = new Map<number, Float64Array>();
    for (let at = 0; at < histograms.length; ) {
      const series = histograms[at] ?? 0;
      const end = at + 2 + 2 * (histograms[at + 1] ?? 0);
      const bins = histograms.subarray(at + 2, end);
      const before = this.histograms.get(series);
      const copy = next === 'before' ? bins.slice() : undefined;
      if (before?.length === bins.length) exclusiveOr(bins, before);
      known.set(series, copy ?? bins.slice());
      at = end;
    }
    this.histograms = known;
  }
}

export function encodeRecord({ at, definitions, values, histograms }: RecordContent, memory: ValueMemory): Uint8Array {
  const out = new VarintWriter(64 * 1024);
  out.write(at);
  writeText(out, JSON.stringify(definitions.columns));
  writeNumbers(
    out,
    definitions.sets.map(([number]) => number),
  );
  writeText(out, definitions.sets.map(([, text]) => text).join('\n'));
  writeNumbers(out, definitions.series);
  writeNumbers(out, definitions.gone);
  const told = values.slice();
  memory.fold(told, 'before');
  writeDoubles(out, told);
  const toldHistograms = histograms.slice();
  memory.foldHistograms(toldHistograms, 'before');
  writeDoubles(out, toldHistograms);
  return zstdCompressSync(out.view(), LEVEL);
}

/** @throws Error when it is no such record. */
export function decodeRecord(packed: Uint8Array, memory: ValueMemory): RecordContent {
  const bytes = zstdDecompressSync(packed, LARGEST);
  const reader = new VarintReader(bytes);
  const at = reader.read();
  const columns = JSON.parse(readText(reader, bytes)) as [number, Column][];
  const numbers = readNumbers(reader);
  const texts = readText(reader, bytes).split('\n');
  const sets = numbers.map((number, index): [number, string] => [number, texts[index] ?? '[]']);
  const definitions = { columns, sets, series: readNumbers(reader), gone: readNumbers(reader) };
  const values = readDoubles(reader, bytes);
  memory.fold(values, 'after');
  const histograms = readDoubles(reader, bytes);
  memory.foldHistograms(histograms, 'after');
  return { at, definitions, values, histograms };
}

function exclusiveOr(changed: Float64Array, by: Float64Array): void {
  const a = new Uint32Array(changed.buffer, changed.byteOffset, changed.length * 2);
  const b = new Uint32Array(by.buffer, by.byteOffset, by.length * 2);
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) a[i] = (a[i] ?? 0) ^ (b[i] ?? 0);
}

function writeText(out: VarintWriter, text: string): void {
  const bytes = Buffer.from(text);
  out.write(bytes.length);
  out.writeBytes(bytes);
}

function readText(reader: VarintReader, bytes: Buffer): string {
  const length = reader.read();
  const text = bytes.toString('utf8', reader.at, reader.at + length);
  reader.skip(length);
  return text;
}

function writeNumbers(out: VarintWriter, numbers: readonly number[]): void {
  out.write(numbers.length);
  for (const number of numbers) out.write(number);
}

function readNumbers(reader: VarintReader): number[] {
  const numbers: number[] = [];
  for (let left = reader.read(); left > 0; left--) numbers.push(reader.read());
  return numbers;
}

/** All first bytes, all second bytes, and so on: those of like values are alike. */
function writeDoubles(out: VarintWriter, doubles: Float64Array): void {
  const { length } = doubles;
  const bytes = new Uint8Array(doubles.buffer, doubles.byteOffset, length * DOUBLE_BYTES);
  const planes = new Uint8Array(bytes.length);
  for (let plane = 0; plane < DOUBLE_BYTES; plane++)
    for (let i = 0; i < length; i++) planes[plane * length + i] = bytes[i * DOUBLE_BYTES + plane] ?? 0;
  out.write(length);
  out.writeBytes(planes);
}

function readDoubles(reader: VarintReader, bytes: Uint8Array): Float64Array {
  const length = reader.read();
  const planes = bytes.subarray(reader.at, reader.at + length * DOUBLE_BYTES);
  if (planes.length < length * DOUBLE_BYTES) throw new RangeError('values cut off');
  reader.skip(planes.length);
  const doubles = new Float64Array(length);
  const out = new Uint8Array(doubles.buffer);
  for (let plane = 0; plane < DOUBLE_BYTES; plane++)
    for (let i = 0; i < length; i++) out[i * DOUBLE_BYTES + plane] = planes[plane * length + i] ?? 0;
  return doubles;
}
