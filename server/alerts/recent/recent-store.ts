/**
 * Answers what alert rules ask of the newest minutes from memory, where it is summed up once for all as it comes; all
 * else is asked of the store. Both tell the same.
 */

import { Slices } from '../../measure/slices.ts';
import type { Direction, FlowIncrement } from '../../model/flow.ts';
import type { ScrapeFindings, ScrapeRecord } from '../../model/scrape-record.ts';
import { withoutHeld } from '../../store/held-increments.ts';
import type { Group, Store, SumAnswer, SumQuery } from '../../store/store.ts';
import { RecentSums } from './recent-sums.ts';
import { RecentUnits } from './recent-units.ts';
import { SlotGrid } from './slot-grid.ts';

const DIRECTIONS: ReadonlySet<Direction> = new Set(['inbound', 'outbound']);
/** Longest window that is kept here. */
const LONGEST_MS = 5 * 60_000;
/**
 * Sums that were not asked for in this time are not kept any more: rules change when a configuration is reloaded. Those
 * of too many groups are tried anew after it.
 */
const FORGOTTEN_MS = 10 * 60_000;
/** A scrape over more than this, after an outage, is kept by the store in parts. */
const LONGEST_SCRAPE_MS = 3_600_000;

export interface RecentStoreOptions {
  readonly store: Pick<Store, 'sums'>;
  readonly slotMs: number;
  readonly now: () => number;
}

interface Kept {
  readonly sums: RecentSums;
  readonly since: number;
  askedAt: number;
}

/** What is told by zone and of connections is never asked for here, and is of targets that are told of anyway. */
function isBesides(flows: readonly FlowIncrement[]): boolean {
  return flows.length > 0 && !flows.some(({ flow: { direction } }) => DIRECTIONS.has(direction));
}

export class RecentStore implements Pick<Store, 'sums'> {
  private readonly options: RecentStoreOptions;
  private readonly grid: SlotGrid;
  private readonly units = new RecentUnits();
  private readonly kept = new Map<string, Kept>();
  /** Nothing that begins before is answered from here. */
  private since = 0;

  constructor(options: RecentStoreOptions) {
    this.options = options;
    // One more: a window may end up to a slot after the newest scrape.
    this.grid = new SlotGrid(options.slotMs, Math.ceil(LONGEST_MS / options.slotMs) + 1);
  }

  /** Takes over scrapes, which the store is given a little later. */
  apply(round: readonly ScrapeRecord[]): void {
    if (this.kept.size === 0) return;
    for (const { target, findings } of withoutHeld(round)) if (findings) this.add(target, findings);
  }

  private add(target: string, { observation: { identity, from, to, flows } }: ScrapeFindings): void {
    if (to <= from || isBesides(flows)) return;
    this.move(to);
    const unit = this.units.of(target, identity);
    if (to - from > LONGEST_SCRAPE_MS) this.since = Math.max(this.since, to);
    this.units.newest = Math.max(this.units.newest, to);
    unit.measured({ from, to }, flows);
    this.grid.set({ from, to });
    if (this.grid.isReached) for (const { sums } of this.kept.values()) sums.add(unit, flows);
  }

  private move(at: number): void {
    const by = this.grid.moveTo(at);
    if (by === 0) return;
    this.units.forget(this.grid.fromMs);
    for (const [key, { sums, askedAt }] of this.kept) {
      if (this.options.now() - askedAt > FORGOTTEN_MS) this.kept.delete(key);
      sums.move(by);
      sums.forget();
    }
  }

  async sums(query: SumQuery): Promise<SumAnswer> {
    const answer = this.isFor(query) ? this.known(query) : undefined;
    if (!answer) return this.options.store.sums(query);
    const slices = new Slices();
    const groups: Group[] = [];
    for (const group of answer) {
      groups.push(group);
      await slices.pause();
    }
    return { groups, other: null, subtotals: [], tiers: ['raw'] };
  }

  /** Whether it is of a form that can be answered from here at all. */
  private isFor({ from, to, stepMs, direction, match, without, by, subtotals, top }: SumQuery): boolean {
    const { slotMs } = this.options;
    if (stepMs !== undefined || subtotals || top !== undefined || Object.keys(match).length > 0) return false;
    if (!DIRECTIONS.has(direction)) return false;
    if (without?.some(({ labels }) => labels.some((label) => !by.includes(label)))) return false;
    const now = this.options.now();
    return from % slotMs === 0 && to % slotMs === 0 && to - from <= LONGEST_MS && to >= now && from < now;
  }

  private known(query: SumQuery): Iterable<Group> | undefined {
    const { direction, by, bins } = query;
    const key = JSON.stringify([direction, by]);
    const now = this.options.now();
    let kept = this.kept.get(key);
    const isOver = kept?.sums.isFull && now - kept.since > FORGOTTEN_MS;
    if (!kept || isOver || (bins && !kept.sums.shape.bins)) {
      const sums = new RecentSums({ direction, by, bins }, { grid: this.grid, units: this.units, since: now });
      kept = { sums, since: now, askedAt: now };
      this.kept.set(key, kept);
    }
    kept.askedAt = now;
    const isCurrent = this.units.newest <= query.to && query.from >= this.since;
    const answer = kept.sums.answer(query, now);
    return isCurrent ? answer : undefined;
  }
}
