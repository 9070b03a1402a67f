/**
 * One number per slot, as bytes: a column. Columns of a kind go to a stream of their own, so that what is alike is
 * compressed together. All numbers are whole, from 0 to 2^53.
 *
 * Measured on log-normal latencies, 60 slots: few samples are cheapest as gaps, some as pairs of slots in a byte (an
 * entropy coder can't go below a bit per symbol, so two slots share one), many as the difference from what the
 * slot's share of all samples lets expect.
 */

import { type VarintReader, VarintWriter } from '../model/varint.ts';

export const STREAMS = ['gaps', 'pairs', 'differences'] as const;
type Stream = (typeof STREAMS)[number];

const ZERO = 0;
const GAPS = 1;
const PAIRS = 2;
const DIFFERENCES = 3;
const DIFFERENCE_PAIRS = 4;

/** A column with fewer slots in use than this share is cheapest as gaps. */
const SPARSE = 0.35;
/** Largest number that half a byte holds. */
const HALF_BYTE = 15;
/** Columns with a larger mean are cheaper as differences. */
const LARGEST_MEAN_OF_PAIRS = 5;
/** Most slots that a gap byte tells, and most samples; a larger count follows as a number of its own. */
const LONGEST_GAP = 62;
const LARGEST_COUNT = 3;

/** What a slot's numbers are expected to be in proportion to. */
export interface Weights {
  readonly bySlot: Float64Array;
  readonly total: number;
}

export class ColumnWriter {
  readonly streams: Readonly<Record<Stream, VarintWriter>> = {
    gaps: new VarintWriter(1024),
    pairs: new VarintWriter(8192),
    differences: new VarintWriter(8192),
  };
  private zigzags = new Float64Array(64);

  clear(): void {
    for (const name of STREAMS) this.streams[name].clear();
  }

  /** Appends a column; returns its kind, which {@link ColumnReader.read} needs. */
  write(values: Float64Array, weights: Weights): number {
    let used = 0;
    let total = 0;
    let largest = 0;
    for (let slot = 0; slot < values.length; slot++) {
      const value = values[slot] ?? 0;
      if (value === 0) continue;
      used++;
      total += value;
      if (value > largest) largest = value;
    }
    if (used === 0) return ZERO;
    if (used < SPARSE * values.length) return this.writeGaps(values);
    if (largest <= HALF_BYTE && total <= LARGEST_MEAN_OF_PAIRS * values.length) {
      writePairs(this.streams.pairs, values, values.length);
      return PAIRS;
    }
    return this.writeDifferences(values, total, weights);
  }

  private writeGaps(values: Float64Array): number {
    const { gaps } = this.streams;
    let next = 0;
    for (let slot = 0; slot < values.length; slot++) {
      const value = values[slot] ?? 0;
      if (value === 0) continue;
      for (; slot - next > LONGEST_GAP; next += LONGEST_GAP) gaps.writeByte((LONGEST_GAP << 2) | 0);
      const isSmall = value <= LARGEST_COUNT;
      // A gap of LONGEST_GAP with no count is a step without a sample; with one it can't be told apart, so it is split.
      if (slot - next === LONGEST_GAP && !isSmall) {
        gaps.writeByte((LONGEST_GAP << 2) | 0);
        next += LONGEST_GAP;
      }
      gaps.writeByte(((slot - next) << 2) | (isSmall ? value : 0));
      if (!isSmall) gaps.write(value);
      next = slot + 1;
    }
    gaps.writeByte(0xff);
    return GAPS;
  }

  private writeDifferences(values: Float64Array, total: number, weights: Weights): number {
    if (this.zigzags.length < values.length) this.zigzags = new Float64Array(values.length);
    const { zigzags } = this;
    const share = shareOf(total, weights);
    let largest = 0;
    for (let slot = 0; slot < values.length; slot++) {
      const difference = (values[slot] ?? 0) - Math.floor(share * (weights.bySlot[slot] ?? 0) + 0.5);
      const zigzag = difference >= 0 ? difference * 2 : -difference * 2 - 1;
      zigzags[slot] = zigzag;
      if (zigzag > largest) largest = zigzag;
    }
    this.streams.differences.write(total);
    if (largest <= HALF_BYTE) {
      writePairs(this.streams.differences, zigzags, values.length);
      return DIFFERENCE_PAIRS;
    }
    for (let slot = 0; slot < values.length; slot++) this.streams.differences.write(zigzags[slot] ?? 0);
    return DIFFERENCES;
  }
}

export class ColumnReader {
  private readonly streams: Readonly<Record<Stream, VarintReader>>;

  constructor(streams: Readonly<Record<Stream, VarintReader>>) {
    this.streams = streams;
  }

  /** Reads a column of a kind into `values`, all of it. @throws RangeError where the bytes are no column. */
  read(kind: number, values: Float64Array, weights: Weights): void {
    if (kind === ZERO) values.fill(0);
    else if (kind === GAPS) readGaps(this.streams.gaps, values);
    else if (kind === PAIRS) readPairs(this.streams.pairs, values);
    else if (kind === DIFFERENCES || kind === DIFFERENCE_PAIRS)
      readDifferences(this.streams.differences, kind, values, weights);
    else throw new RangeError(`no kind of column: ${kind}`);
  }
}

function writePairs(stream: VarintWriter, values: Float64Array, slots: number): void {
  for (let slot = 0; slot < slots; slot += 2) {
    const second = slot + 1 < slots ? (values[slot + 1] ?? 0) : 0;
    stream.writeByte((values[slot] ?? 0) | (second << 4));
  }
}

function readPairs(stream: VarintReader, values: Float64Array): void {
  for (let slot = 0; slot < values.length; slot += 2) {
    const byte = stream.readByte();
    values[slot] = byte & HALF_BYTE;
    if (slot + 1 < values.length) values[slot + 1] = byte >> 4;
  }
}

function readGaps(stream: VarintReader, values: Float64Array): void {
  values.fill(0);
  let slot = 0;
  for (let byte = stream.readByte(); byte !== 0xff; byte = stream.readByte()) {
    slot += byte >> 2;
    const small = byte & LARGEST_COUNT;
    if (small === 0 && byte >> 2 === LONGEST_GAP) continue;
    if (slot >= values.length) throw new RangeError('a column ends too late');
    values[slot++] = small === 0 ? stream.read() : small;
  }
}

function readDifferences(stream: VarintReader, kind: number, values: Float64Array, weights: Weights): void {
  const total = stream.read();
  const share = shareOf(total, weights);
  const { bySlot } = weights;
  if (kind === DIFFERENCE_PAIRS) {
    readPairs(stream, values);
    for (let slot = 0; slot < values.length; slot++) {
      const zigzag = values[slot] ?? 0;
      values[slot] = Math.floor(share * (bySlot[slot] ?? 0) + 0.5) + ((zigzag >> 1) ^ -(zigzag & 1));
    }
    return;
  }
  for (let slot = 0; slot < values.length; slot++) {
    const zigzag = stream.read();
    const difference = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    values[slot] = Math.floor(share * (bySlot[slot] ?? 0) + 0.5) + difference;
  }
}

function shareOf(total: number, weights: Weights): number {
  return weights.total === 0 ? 0 : total / weights.total;
}
