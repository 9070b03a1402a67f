/** What a receiver has been told of each target, so that the next push goes on from there. */

import type { LiveTarget } from '../../live/live.ts';
import { flowText } from '../../model/flow.ts';
import type { FlowTotal } from '../../model/flow-totals.ts';
import { type CountedFlow, incrementOf } from './increments.ts';
import type { Temporality } from './message.ts';

export interface AcceptedTarget {
  /** Since when its totals count, Unix milliseconds; 0 where nobody knows. */
  readonly since: number;
  /** Up to when they were accepted; 0 while the receiver was told nothing. */
  readonly at: number;
  /** With delta temporality: the totals that were accepted. */
  readonly flows: readonly CountedFlow[];
}

/** What is to be told of a target. */
export interface TargetReport {
  /** Since when, Unix milliseconds; 0: not known. */
  readonly since: number;
  readonly flowOf: (total: FlowTotal) => FlowTotal;
}

/** Targets that are gone are remembered so long, for they may come back. */
const GONE_KEPT_MS = 900_000;
const MOST_KEPT = 100_000;

export class Accepted {
  private readonly targets: Map<string, AcceptedTarget>;
  private readonly temporality: Temporality;
  /** Whether something changed that has to outlive the process. */
  isChanged = false;

  /** @param kept what an earlier life of the collector was told to keep. */
  constructor(temporality: Temporality, kept: Iterable<readonly [target: string, accepted: AcceptedTarget]> = []) {
    this.temporality = temporality;
    this.targets = new Map(kept);
  }

  entries(): IterableIterator<[string, AcceptedTarget]> {
    return this.targets.entries();
  }

  /** @param flows its totals as they are reported. @param now the end of that, Unix milliseconds. */
  reportOf(target: LiveTarget, { flows, now }: { flows: readonly FlowTotal[]; now: number }): TargetReport {
    const kept = this.targets.get(target.target.key);
    const known =
      kept && (kept.at > 0 || this.temporality === 'cumulative') ? kept : this.begin(target, { flows, at: now });
    if (this.temporality === 'cumulative') return { since: this.sinceOf(target), flowOf: (total) => total };
    const { countedSince } = target;
    if (countedSince !== null && countedSince >= known.at) return { since: countedSince, flowOf: (total) => total };
    const before = new Map(known.flows.map((flow) => [flowText(flow.flow), flow]));
    const increments = new Map<FlowTotal, FlowTotal>();
    for (const total of flows) {
      const increment = incrementOf(total, before.get(flowText(total.flow)));
      if (!increment) return { since: countedSince ?? known.at, flowOf: (flow) => flow };
      increments.set(total, increment);
    }
    return { since: known.at, flowOf: (total) => increments.get(total) ?? total };
  }

  /** The receiver took what was reported of the target, with these totals, up to `at`. */
  accept(target: LiveTarget, { flows, at }: Pick<AcceptedTarget, 'flows' | 'at'>): void {
    const { key } = target.target;
    const since = this.sinceOf(target);
    const isDelta = this.temporality === 'delta';
    this.isChanged ||= isDelta || this.targets.get(key)?.since !== since;
    this.targets.set(key, { since, at, flows: isDelta ? flows : [] });
  }

  /** Whether the receiver took what a target stands at, as increments. */
  hasAll({ target, flows }: LiveTarget): boolean {
    const taken = new Set<unknown>(this.targets.get(target.key)?.flows);
    return flows.every((flow) => taken.has(flow));
  }

  /** Forgets targets that are long gone. */
  keep(current: ReadonlySet<string>, now: number): void {
    let others = this.targets.size - current.size;
    for (const [key, { at }] of this.targets) {
      if (current.has(key) || (now - at < GONE_KEPT_MS && others <= MOST_KEPT)) continue;
      this.targets.delete(key);
      others--;
      this.isChanged = true;
    }
  }

  /** What an earlier life counted was not to be told by this one: with delta temporality, it goes on from here. */
  private begin(target: LiveTarget, { flows, at }: Pick<AcceptedTarget, 'flows' | 'at'>): AcceptedTarget {
    const since = this.sinceOf(target);
    const isNew = target.countedSince !== null;
    const begun = {
      since,
      at: isNew ? since : at,
      flows: isNew || this.temporality === 'cumulative' ? [] : flows,
    };
    this.targets.set(target.target.key, begun);
    this.isChanged = true;
    return begun;
  }

  private sinceOf(target: LiveTarget): number {
    return target.countedSince ?? this.targets.get(target.target.key)?.since ?? 0;
  }
}
