/**
 * One number per slot, in bits: a column. What is written is how far each number is from what was to be expected of
 * it, either slot by slot or, where most are as expected, as the gaps between those that are not.
 *
 * Measured on log-normal latencies, 60 slots, against columns of bytes that are deflated: half the size, and quicker.
 * All numbers are whole, from 0 to 2^53.
 */

import { type BitReader, type BitWriter, riceBits } from './bits.ts';

/** What a number is expected to be: 0, the mean, its slot's share of all, or what the slot before has. */
const NOTHING = 0;
const MEAN = 1;
const SHARE = 2;
const BEFORE = 3;

const EXPECTATION_BITS = 2;
/** Rice's parameters for parameters, and for how many slots are in use. */
const PARAMETER = 0;
const COUNT = 3;
/** Differences of larger numbers are no whole numbers that a double holds. */
const LARGEST_EXPECTED = 2 ** 51;

/** What a slot's numbers are expected to be in proportion to. */
export interface Weights {
  readonly bySlot: Float64Array;
  readonly total: number;
}

/** Weights, and the slots that have one: a column may be written of these only. */
export class ColumnWeights implements Weights {
  readonly bySlot: Float64Array;
  readonly total: number;
  readonly slots: Int32Array;
  /** Weights of these slots. */
  readonly dense: Weights;

  constructor({ bySlot, total }: Weights) {
    this.bySlot = bySlot;
    this.total = total;
    let used = 0;
    for (let slot = 0; slot < bySlot.length; slot++) if (bySlot[slot] !== 0) used++;
    this.slots = new Int32Array(used);
    const dense = new Float64Array(used);
    for (let slot = 0, at = 0; slot < bySlot.length; slot++) {
      if (bySlot[slot] === 0) continue;
      this.slots[at] = slot;
      dense[at++] = bySlot[slot] ?? 0;
    }
    this.dense = { bySlot: dense, total };
  }
}

interface Coding {
  readonly bits: number;
  /** Whether only what is not 0 is written, with the gaps in between. */
  readonly sparse: boolean;
  readonly k: number;
  readonly used: number;
}

export class ColumnWriter {
  private differences = new Float64Array(64);
  private best = new Float64Array(64);
  private dense = new Float64Array(64);

  /** `weights` must be the same when the column is read. */
  write(out: BitWriter, values: Float64Array, weights: ColumnWeights | undefined): void {
    if (this.best.length < values.length) {
      this.differences = new Float64Array(values.length);
      this.best = new Float64Array(values.length);
      this.dense = new Float64Array(values.length);
    }
    if (!weights) {
      this.writeSlots(out, values, undefined);
      return;
    }
    const isDense = this.takeDense(values, weights);
    out.write(isDense ? 1 : 0, 1);
    if (isDense) this.writeSlots(out, this.dense.subarray(0, weights.slots.length), weights.dense);
    else this.writeSlots(out, values, weights);
  }

  /** False when a slot that has no weight is in use. */
  private takeDense(values: Float64Array, { slots }: ColumnWeights): boolean {
    let next = 0;
    for (let slot = 0; slot < values.length; slot++) {
      if (slots[next] === slot) this.dense[next++] = values[slot] ?? 0;
      else if (values[slot] !== 0) return false;
    }
    return true;
  }

  private writeSlots(out: BitWriter, values: Float64Array, weights: Weights | undefined): void {
    const { length } = values;
    const facts = factsOf(values);
    let chosen = NOTHING;
    this.best.set(values);
    let coding = codingOf(this.best, length);
    for (const expectation of worthTrying(facts, length, weights)) {
      differencesOf(values, this.differences, { expectation, total: facts.total, weights });
      const other = codingOf(this.differences, length);
      if (other.bits >= coding.bits) continue;
      chosen = expectation;
      coding = other;
      [this.best, this.differences] = [this.differences, this.best];
    }
    out.write(chosen * 2 + (coding.sparse ? 1 : 0), EXPECTATION_BITS + 1);
    if (chosen === MEAN || chosen === SHARE) out.writeNumber(facts.total);
    if (coding.sparse) writeSparse(out, this.best, length, coding);
    else {
      out.writeRice(coding.k, PARAMETER);
      for (let slot = 0; slot < length; slot++) out.writeRice(this.best[slot] ?? 0, coding.k);
    }
  }
}

export class ColumnReader {
  private readonly reader: BitReader;
  private readonly dense: Float64Array;

  constructor(reader: BitReader, slots: number) {
    this.reader = reader;
    this.dense = new Float64Array(slots);
  }

  /** Reads a column into `values`, all of it. @throws RangeError where the bits are no column. */
  read(values: Float64Array, weights: ColumnWeights | undefined): void {
    if (!weights || this.reader.read(1) === 0) {
      this.readSlots(values, values.length, weights);
      return;
    }
    const { dense } = this;
    const { slots } = weights;
    this.readSlots(dense, slots.length, weights.dense);
    values.fill(0);
    for (let i = 0; i < slots.length; i++) values[slots[i] ?? 0] = dense[i] ?? 0;
  }

  /** Into the first so many. */
  private readSlots(values: Float64Array, length: number, weights: Weights | undefined): void {
    const { reader } = this;
    const kind = reader.read(EXPECTATION_BITS + 1);
    const expectation = kind >> 1;
    const total = expectation === MEAN || expectation === SHARE ? reader.readNumber() : 0;
    if (kind & 1) readSparse(reader, values, length);
    else {
      const k = reader.readRice(PARAMETER);
      for (let slot = 0; slot < length; slot++) values[slot] = reader.readRice(k);
    }
    if (expectation !== NOTHING) addExpected(values, length, { expectation, total, weights });
  }
}

interface Facts {
  readonly total: number;
  readonly largest: number;
  /** Slots that are not 0, and those that are not what the slot before is. */
  readonly used: number;
  readonly changes: number;
}

function factsOf(values: Float64Array): Facts {
  let [total, largest, used, changes, before] = [0, 0, 0, 0, 0];
  for (let slot = 0; slot < values.length; slot++) {
    const value = values[slot] ?? 0;
    if (value !== before) changes++;
    before = value;
    if (value === 0) continue;
    used++;
    total += value;
    if (value > largest) largest = value;
  }
  return { total, largest, used, changes };
}

function worthTrying(facts: Facts, slots: number, weights: Weights | undefined): number[] {
  const { total, largest, used, changes } = facts;
  if (used === 0 || largest > LARGEST_EXPECTED || total > LARGEST_EXPECTED) return [];
  const tried: number[] = [];
  if (changes * 3 < slots && used > changes) tried.push(BEFORE);
  if (weights && weights.total > 0) {
    if (total === weights.total || total > slots) tried.push(SHARE);
  } else if (total > 2 * slots) tried.push(MEAN);
  return tried;
}

interface Expected {
  readonly expectation: number;
  readonly total: number;
  readonly weights: Weights | undefined;
}

/** Differences of either sign as numbers from 0. */
function differencesOf(values: Float64Array, into: Float64Array, expected: Expected): void {
  const { expectation, total, weights } = expected;
  const { length } = values;
  const mean = Math.round(total / length);
  const share = shareOf(total, weights);
  let before = 0;
  for (let slot = 0; slot < length; slot++) {
    const value = values[slot] ?? 0;
    const base =
      expectation === MEAN ? mean : expectation === BEFORE ? before : Math.round(share * (weights?.bySlot[slot] ?? 0));
    before = value;
    const difference = value - base;
    into[slot] = difference >= 0 ? difference * 2 : -difference * 2 - 1;
  }
}

function addExpected(values: Float64Array, length: number, { expectation, total, weights }: Expected): void {
  const mean = Math.round(total / length);
  const share = shareOf(total, weights);
  let before = 0;
  for (let slot = 0; slot < length; slot++) {
    const told = values[slot] ?? 0;
    const difference = told % 2 === 0 ? told / 2 : -(told + 1) / 2;
    const base =
      expectation === MEAN ? mean : expectation === BEFORE ? before : Math.round(share * (weights?.bySlot[slot] ?? 0));
    before = base + difference;
    values[slot] = before;
  }
}

function shareOf(total: number, weights: Weights | undefined): number {
  return weights && weights.total > 0 ? total / weights.total : 0;
}

function codingOf(numbers: Float64Array, length: number): Coding {
  let [sum, used] = [0, 0];
  for (let slot = 0; slot < length; slot++) {
    const number = numbers[slot] ?? 0;
    if (number === 0) continue;
    used++;
    sum += number;
  }
  const k = closest(sum / length);
  const dense = { bits: bitsOf(numbers, length, k), sparse: false, k, used };
  if (used * 2 > length) return dense;
  const ownK = used === sum ? ALL_ONES : closest((sum - used) / used);
  const bits = sparseBits(numbers, length, { k: ownK, used }) + riceBits(used, COUNT);
  return bits < dense.bits ? { bits, sparse: true, k: ownK, used } : dense;
}

/** In place of a parameter: no number is above 1, and none is told. */
const ALL_ONES = -1;

/** Rice's parameter for numbers of this mean. */
function closest(mean: number): number {
  return mean >= 1 ? Math.max(0, Math.floor(Math.log2(mean * 0.8 + 0.35))) : 0;
}

function gapsOf(used: number, length: number): number {
  return used === 0 ? 0 : closest((length - used) / used);
}

function bitsOf(numbers: Float64Array, length: number, k: number): number {
  let bits = 0;
  for (let slot = 0; slot < length; slot++) bits += riceBits(numbers[slot] ?? 0, k);
  return bits;
}

function sparseBits(numbers: Float64Array, length: number, { k, used }: { k: number; used: number }): number {
  const gaps = gapsOf(used, length);
  let bits = 0;
  let next = 0;
  for (let slot = 0; slot < length; slot++) {
    const number = numbers[slot] ?? 0;
    if (number === 0) continue;
    bits += riceBits(slot - next, gaps);
    if (k !== ALL_ONES) bits += riceBits(number - 1, k);
    next = slot + 1;
  }
  return bits;
}

function writeSparse(out: BitWriter, numbers: Float64Array, length: number, { k, used }: Coding): void {
  out.writeRice(used, COUNT);
  if (used === 0) return;
  const gaps = gapsOf(used, length);
  out.writeRice(k - ALL_ONES, PARAMETER);
  let next = 0;
  for (let slot = 0; slot < length; slot++) {
    const number = numbers[slot] ?? 0;
    if (number === 0) continue;
    out.writeRice(slot - next, gaps);
    if (k !== ALL_ONES) out.writeRice(number - 1, k);
    next = slot + 1;
  }
}

function readSparse(reader: BitReader, values: Float64Array, length: number): void {
  values.fill(0, 0, length);
  const used = reader.readRice(COUNT);
  if (used === 0) return;
  const gaps = gapsOf(used, length);
  const k = reader.readRice(PARAMETER) + ALL_ONES;
  let slot = 0;
  for (let left = used; left > 0; left--) {
    slot += reader.readRice(gaps);
    if (slot >= length) throw new RangeError('a column ends too late');
    values[slot++] = k === ALL_ONES ? 1 : reader.readRice(k) + 1;
  }
}
