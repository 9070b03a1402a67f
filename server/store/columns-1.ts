/** Columns of blocks as earlier versions wrote them, by kind. */

import type { VarintReader } from '../model/varint.ts';

type Stream = 'gaps' | 'pairs' | 'differences';

const ZERO = 0;
const GAPS = 1;
const PAIRS = 2;
const DIFFERENCES = 3;
const DIFFERENCE_PAIRS = 4;

/** Largest number that half a byte holds. */
const HALF_BYTE = 15;
/** Most slots that a gap byte tells, and most samples; a larger count follows as a number of its own. */
const LONGEST_GAP = 62;
const LARGEST_COUNT = 3;

/** What a slot's numbers are expected to be in proportion to. */
export interface Weights {
  readonly bySlot: Float64Array;
  readonly total: number;
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
