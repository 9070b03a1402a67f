/** A round of scrapes on its way from the main thread to the writer: few objects, and one piece of memory. */

import type { FlowKey, Identity } from '../../model/flow.ts';
import type { ScrapeFindings, ScrapeRecord } from '../../model/scrape-record.ts';
import { VarintWriter } from '../../model/varint.ts';
import { GaugeTimes } from '../gauge-times.ts';
import { withoutHeld } from '../held-increments.ts';
import { flowKeys, PackedObservation, writeRecord } from '../packed-observation.ts';
import { FLOW_LABELS } from '../series-labels.ts';

/** What stays the same from scrape to scrape of a target; told once, and known by its number from then on. */
export interface TargetLayout {
  readonly number: number;
  readonly address: string;
  readonly identity: Identity;
  readonly inbound: boolean;
  /** Names that the totals go by. */
  readonly shape: string;
  /** In the order of records: direction by direction. */
  readonly flows: readonly FlowKey[];
}

/** A layout on its way: its shape is told by the position in {@link EncodedRound.shapes}. */
export interface ToldLayout extends Omit<TargetLayout, 'shape'> {
  readonly shape: number;
}

/** Numbers of one scrape in {@link EncodedRound.scrapes}. */
export const SCRAPE_FIELDS = 7;

export interface EncodedRound {
  /** By which the file remembers it; 0 for none. */
  readonly id: number;
  readonly layouts: readonly ToldLayout[];
  /** Of these layouts, each once: many targets share them, and they are long. */
  readonly shapes: readonly string[];
  /** Targets that were not scraped for long: their layouts are told anew should they come back. */
  readonly gone: readonly string[];
  /**
   * For each scrape: number of its layout, from, to, start (NaN: unknown), bytes of its record, bytes of its totals, and
   * which of its target's totals they are, negative where they are growth.
   */
  readonly scrapes: Float64Array<ArrayBuffer>;
  /** For each scrape its record, then its totals. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A target may go back and forth between some: flows by zone are not in every answer. */
export const LAYOUTS_OF_TARGET = 4;
/** A target that was not scraped for this long is not remembered; its totals are told as a whole when it comes back. */
const REMEMBERED_MS = 20 * 60_000;
/** Encoding one takes one to two microseconds. */
const FLOWS_AT_ONCE = 1500;

interface KnownTarget {
  readonly layouts: readonly TargetLayout[];
  /** End of its last scrape. */
  readonly at: number;
}

export class RoundEncoder {
  /** Those that were scraped last come last. */
  private readonly known = new Map<string, KnownTarget>();
  private readonly out = new VarintWriter(65_536);
  private readonly gauges = new GaugeTimes();
  private next = 1;
  /** End of the scrape that was encoded last. */
  private newest = 0;

  /** Tells every layout anew in the next round: the writer may have missed one. */
  forget(): void {
    this.known.clear();
    this.gauges.forgetAll();
  }

  /**
   * Yields between pieces of work, so that the main thread does other things in between; one round at a time.
   * @throws RangeError where a record holds what can't be a count.
   */
  *encode(round: readonly ScrapeRecord[], id = 0): Generator<void, EncodedRound> {
    const told: TargetLayout[] = [];
    const scrapes: number[] = [];
    this.out.clear();
    let flows = 0;
    for (const { target, findings } of withoutHeld(round.flatMap((record) => this.gauges.once(record)))) {
      if (!findings) continue;
      const { observation, totals, startedAt } = findings;
      const weight = observation instanceof PackedObservation ? 1 : 1 + observation.flows.length;
      flows += weight;
      if (flows > FLOWS_AT_ONCE) {
        flows = weight;
        yield;
      }
      const layout = this.layoutOf(target, findings, told);
      const start = this.out.size;
      if (observation.to > observation.from) writeRecord(this.out, observation);
      const recordSize = this.out.size - start;
      this.out.writeBytes(totals.values);
      scrapes.push(layout.number, observation.from, observation.to, startedAt ?? Number.NaN);
      scrapes.push(
        recordSize,
        totals.values.length,
        totals.isGrowth ? -(totals.sequence ?? 1) : (totals.sequence ?? 0),
      );
    }
    const gone = this.forgetGone();
    return { id, ...toldOf(told), gone, scrapes: Float64Array.from(scrapes), bytes: new Uint8Array(this.out.view()) };
  }

  /** What was scraped before a clock was put back is told anew, too. */
  private forgetGone(): string[] {
    const gone: string[] = [];
    for (const [address, { at }] of this.known) {
      if (Math.abs(this.newest - at) <= REMEMBERED_MS) break;
      this.known.delete(address);
      this.gauges.forget(address);
      gone.push(address);
    }
    return gone;
  }

  private layoutOf(address: string, findings: ScrapeFindings, told: TargetLayout[]): TargetLayout {
    const layouts = this.known.get(address)?.layouts ?? [];
    const layout = layouts.find((one) => isSame(one, findings)) ?? this.newLayout(address, findings);
    const at = findings.observation.to;
    this.newest = at;
    this.known.delete(address);
    if (layouts.includes(layout)) this.known.set(address, { layouts, at });
    else {
      this.known.set(address, { layouts: [layout, ...layouts].slice(0, LAYOUTS_OF_TARGET), at });
      told.push(layout);
    }
    return layout;
  }

  private newLayout(address: string, { observation, totals, inbound }: ScrapeFindings): TargetLayout {
    return {
      number: this.next++,
      address,
      identity: observation.identity,
      inbound,
      shape: totals.shape,
      flows: flowKeys(observation),
    };
  }
}

function toldOf(layouts: readonly TargetLayout[]): Pick<EncodedRound, 'layouts' | 'shapes'> {
  const shapes = [...new Set(layouts.map(({ shape }) => shape))];
  const positions = new Map(shapes.map((shape, position) => [shape, position]));
  return { layouts: layouts.map((layout) => ({ ...layout, shape: positions.get(layout.shape) ?? 0 })), shapes };
}

function isSame(layout: TargetLayout, { observation, totals, inbound }: ScrapeFindings): boolean {
  if (totals.shape !== layout.shape || inbound !== layout.inbound) return false;
  return areSameFlows(layout.flows, flowKeys(observation)) && isSameIdentity(layout.identity, observation.identity);
}

function areSameFlows(some: readonly FlowKey[], others: readonly FlowKey[]): boolean {
  if (some === others) return true;
  return some.length === others.length && some.every((flow, index) => isSameFlow(flow, others[index]));
}

function isSameFlow(a: FlowKey | undefined, b: FlowKey | undefined): boolean {
  if (a === b) return true;
  if (!a || !b) return false;
  return a.direction === b.direction && a.source === b.source && FLOW_LABELS.every(({ of }) => of(a) === of(b));
}

function isSameIdentity(a: Identity, b: Identity): boolean {
  return (
    a.service === b.service &&
    a.namespace === b.namespace &&
    a.instance === b.instance &&
    a.region === b.region &&
    a.zone === b.zone &&
    a.role === b.role
  );
}
