import { BinTotals } from './bin-totals.ts';
import { COUNTERS, type FlowIncrement, type FlowKey, flowText, GAUGES } from './flow.ts';
import type { SparseBins } from './histogram.ts';

/** Everything counted of one flow since its target was first seen. */
export interface FlowTotal {
  readonly flow: FlowKey;
  /** One number per entry of `COUNTERS`. */
  readonly counters: Float64Array;
  /** As they stood at the last scrape, one number per entry of `GAUGES`. */
  readonly gauges: Float64Array;
  readonly bins: SparseBins;
}

/**
 * The totals of a target's flows, in few arrays and in the order in which the flows were first seen: they are most of what
 * is in memory of a target.
 */
export class FlowTotals implements Iterable<FlowTotal> {
  /** The names of all flows, by place; another list as soon as there are more. */
  keys: readonly FlowKey[] = [];
  private counters = new Float64Array(0);
  private gauges = new Float64Array(0);
  private readonly bins = new BinTotals();
  /** By each object that a flow was ever asked for with. */
  private places: Map<FlowKey, number> | undefined;

  static of(totals: Iterable<FlowTotal>): FlowTotals {
    const made = new FlowTotals();
    const all = [...totals];
    made.keys = all.map(({ flow }) => flow);
    made.grow(all.length);
    made.add(
      all.map((_, place) => place),
      all,
    );
    return made;
  }

  get size(): number {
    return this.keys.length;
  }

  /** Where flows are, until the next call; those that are new are added. */
  placesOf(of: readonly { readonly flow: FlowKey }[]): readonly number[] {
    const { keys } = this;
    PLACES.length = 0;
    let unknown = false;
    for (let i = 0; i < of.length; i++) {
      const flow = of[i]?.flow;
      const place = keys[i] === flow ? i : flow && this.places?.get(flow);
      unknown ||= place === undefined;
      PLACES.push(place ?? -1);
    }
    if (unknown) this.learn(of);
    return PLACES;
  }

  private learn(of: readonly { readonly flow: FlowKey }[]): void {
    const byText = new Map(this.keys.map((flow, place) => [flowText(flow), place]));
    const added: FlowKey[] = [];
    if (!this.places || this.places.size > 2 * this.size + MOST_NAMES_BESIDES) this.places = new Map();
    for (const [i, { flow }] of of.entries()) {
      const text = flowText(flow);
      const place = byText.get(text) ?? this.size + added.push(flow) - 1;
      byText.set(text, place);
      if (this.keys[i] !== flow) this.places.set(flow, place);
      PLACES[i] = place;
    }
    if (added.length === 0) return;
    this.keys = [...this.keys, ...added];
    this.grow(this.size);
  }

  private grow(size: number): void {
    this.bins.grow(size);
    this.counters = longer(this.counters, size * COUNTERS.length);
    this.gauges = longer(this.gauges, size * GAUGES.length);
  }

  /** Adds increments, each to the flow at the place of the same index. */
  add(places: readonly number[], increments: readonly Omit<FlowIncrement, 'flow'>[]): void {
    for (let index = 0; index < increments.length; index++) {
      const { counters, gauges } = increments[index] ?? NOTHING;
      const place = places[index] ?? 0;
      let at = place * COUNTERS.length;
      for (let i = 0; i < counters.length; i++, at++) this.counters[at] = (this.counters[at] ?? 0) + (counters[i] ?? 0);
      at = place * GAUGES.length;
      for (let i = 0; i < gauges.length; i++) this.gauges[at++] = gauges[i] ?? 0;
    }
    this.bins.addAll(places, increments);
  }

  /** No gauge is known to stand at anything. */
  rest(): void {
    this.gauges.fill(0);
  }

  /** All counters of all flows together. */
  sum(): number {
    return this.counters.reduce((sum, count) => sum + count, 0);
  }

  /** What it is as long as nothing is added; undefined where there is none. */
  at(place: number): FlowTotal | undefined {
    const flow = this.keys[place];
    if (!flow) return undefined;
    const { bins } = this;
    return {
      flow,
      counters: this.counters.subarray(place * COUNTERS.length, (place + 1) * COUNTERS.length),
      gauges: this.gauges.subarray(place * GAUGES.length, (place + 1) * GAUGES.length),
      get bins() {
        return bins.at(place);
      },
    };
  }

  *[Symbol.iterator](): Generator<FlowTotal> {
    for (let place = 0; place < this.size; place++) {
      const total = this.at(place);
      if (total) yield total;
    }
  }

  /** Becomes a copy of others, in the memory that it has where that fits. */
  take(others: FlowTotals): void {
    this.keys = others.keys;
    this.places = undefined;
    this.counters = copied(this.counters, others.counters);
    this.gauges = copied(this.gauges, others.gauges);
    this.bins.take(others.bins);
  }
}

const NOTHING = { counters: new Float64Array(0), gauges: new Float64Array(0) };

/** Used again for every target. */
const PLACES: number[] = [];

/** Plans are made anew now and then, with names of their own for the same flows. */
const MOST_NAMES_BESIDES = 64;

function longer(numbers: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(length);
  grown.set(numbers);
  return grown;
}

function copied(into: Float64Array<ArrayBuffer>, from: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  if (into.length !== from.length) return from.slice();
  into.set(from);
  return into;
}
