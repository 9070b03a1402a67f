import type { Identity } from '../model/flow.ts';
import { keyOf } from '../model/labels.ts';
import type { ScrapeFindings, ScrapeRecord, StoredTarget } from '../model/scrape-record.ts';
import { partsIn, unionOf } from './coverage.ts';
import { withoutHeld } from './held-increments.ts';
import { MemoryAlerts } from './memory-alerts.ts';
import { foldRows, type MemoryRow, TIER_STEP_MS, Unit } from './memory-rows.ts';
import { sumRows } from './memory-sums.ts';
import {
  type Store,
  StoreError,
  type StoreLimits,
  type StoreOptions,
  type StoreStatus,
  type SumAnswer,
  type SumQuery,
  TIERS,
  type TierName,
  type TierStatus,
} from './store.ts';

/** `storage.path` of a store that keeps nothing on disk. */
export const MEMORY_PATH = ':memory:';

/** What a row takes, about: its numbers, and what the engine needs to find it. */
const ROW_BYTES = 600;
const BIN_BYTES = 16;
/** Most that is kept, whatever the largest size is: it is the process's own memory. */
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * A store that is gone with the process: for tests, and for trying things out. Plain and exact rather than quick: it
 * works on the thread that asks.
 */
export class MemoryStore extends MemoryAlerts implements Store {
  private options: StoreOptions;
  private readonly targets = new Map<string, StoredTarget>();
  private readonly units = new Map<string, Unit>();
  /** By target, which of its totals were kept last. */
  private readonly sequences = new Map<string, number>();
  private newest = 0;
  private lastRound = 0;
  private notice = '';

  constructor(options: StoreOptions) {
    super();
    this.options = options;
  }

  async loadTargets(): Promise<StoredTarget[]> {
    return [...this.targets.values()];
  }

  /** @throws StoreError for counts that are no numbers. */
  async append(round: readonly ScrapeRecord[], id = 0): Promise<void> {
    if (id > 0 && id === this.lastRound) return;
    for (const { findings } of round) if (findings) checkCounts(findings);
    for (const record of withoutHeld(round)) if (record.findings) this.appendScrape(record.target, record.findings);
    this.lastRound = id;
  }

  private appendScrape(target: string, findings: ScrapeFindings): void {
    const { from, to, identity, flows } = findings.observation;
    this.keepTarget(target, findings);
    if (to <= from) return;
    this.newest = Math.max(this.newest, to);
    const unit = this.unitOf(target, identity);
    unit.measured({ from, to });
    for (const increment of flows) unit.addRaw(increment, { from, to });
  }

  private keepTarget(target: string, { observation, totals, startedAt, inbound }: ScrapeFindings): void {
    const { identity, to } = observation;
    const { shape, sequence = 0, isGrowth = false } = totals;
    const values = Uint8Array.from(totals.values);
    const known = this.targets.get(target);
    const told = { target, lastScrape: to, startedAt, identity, inbound };
    if (!isGrowth) this.targets.set(target, { ...told, totals: { shape, values, growth: [] } });
    else if (values.length === 0) return;
    else if (known && this.sequences.get(target) === sequence - 1)
      this.targets.set(target, {
        ...told,
        totals: { ...known.totals, growth: [...(known.totals.growth ?? []), values] },
      });
    else this.targets.delete(target);
    this.sequences.set(target, sequence);
  }

  private unitOf(target: string, { service, namespace, instance, region, zone }: Omit<Identity, 'role'>): Unit {
    const key = keyOf([target, service, namespace, instance, region, zone]);
    const unit = this.units.get(key) ?? new Unit({ service, namespace, instance, region, zone });
    this.units.set(key, unit);
    return unit;
  }

  async upkeep(now: number): Promise<boolean> {
    for (const [index, tier] of TIERS.entries()) {
      const next = TIERS[index + 1];
      const before = now - this.options.retentionMs[tier];
      if (next) this.fold(tier, next, Math.floor(before / TIER_STEP_MS[next]) * TIER_STEP_MS[next]);
      else this.forget(tier, before);
    }
    this.shrink();
    this.forgetEvents(now);
    for (const [key, unit] of this.units) if (unit.isEmpty && unit.runs.length === 0) this.units.delete(key);
    return false;
  }

  /** From ten minutes on the instance is not known any more. */
  private fold(tier: TierName, next: TierName, border: number): void {
    for (const unit of [...this.units.values()]) {
      const into = next === '10m' ? this.unitOf('', { ...unit.place, instance: '' }) : unit;
      foldRows(unit, into, { tier, next, border });
      if (into === unit) continue;
      into.runs = unionOf([...into.runs, ...partsIn(unit.runs, { from: 0, to: border })]);
      unit.runs = partsIn(unit.runs, { from: border, to: Number.POSITIVE_INFINITY });
    }
  }

  private forget(tier: TierName, before: number): void {
    for (const unit of this.units.values()) {
      unit.forget(tier, before);
      if (tier === '1h') unit.runs = partsIn(unit.runs, { from: before, to: Number.POSITIVE_INFINITY });
    }
  }

  /** Forgets what is oldest until the rest fits. */
  private shrink(): void {
    const most = Math.min(this.options.maxBytes, MAX_BYTES);
    for (let bytes = this.bytes(); bytes > most; bytes = this.bytes()) {
      const oldest = this.oldest() ?? 0;
      const before = oldest + Math.max(60_000, (this.newest - oldest) / 10);
      for (const tier of TIERS) this.forget(tier, before);
      for (const unit of this.units.values())
        unit.runs = partsIn(unit.runs, { from: before, to: Number.POSITIVE_INFINITY });
      this.notice = `more than ${Math.round(most / 1024 ** 2)} MiB would be in memory: what is oldest was forgotten; give a file as storage.path to keep more`;
    }
  }

  limit(limits: StoreLimits): void {
    this.options = { ...this.options, ...limits };
  }

  async sums(query: SumQuery): Promise<SumAnswer> {
    return sumRows(this.units.values(), query, this.newest);
  }

  async status(): Promise<StoreStatus> {
    const bytes = this.bytes();
    return {
      path: MEMORY_PATH,
      bytes,
      usedBytes: bytes,
      maxBytes: Math.min(this.options.maxBytes, MAX_BYTES),
      schemaVersion: 0,
      oldest: this.oldest(),
      tiers: TIERS.map((tier) => this.tierStatus(tier)),
      logRows: 0,
      notice: this.notice,
    };
  }

  private tierStatus(name: TierName): TierStatus {
    const rows = this.rowsOf(name);
    const retentionMs = this.options.retentionMs[name];
    const from = rows.reduce((least, { interval }) => Math.min(least, interval.from), Number.POSITIVE_INFINITY);
    const to = rows.reduce((most, { interval }) => Math.max(most, interval.to), 0);
    return {
      name,
      stepMs: name === 'raw' ? this.options.intervalMs : TIER_STEP_MS[name],
      retentionMs,
      keptMs: retentionMs,
      oldest: rows.length > 0 ? from : null,
      newest: rows.length > 0 ? to : null,
      bytes: sizeOf(rows),
    };
  }

  private rowsOf(tier: TierName): MemoryRow[] {
    return [...this.units.values()].flatMap((unit) => [...unit.rows[tier].values()]);
  }

  private bytes(): number {
    return TIERS.reduce((sum, tier) => sum + sizeOf(this.rowsOf(tier)), 0);
  }

  private oldest(): number | null {
    const starts = [...this.units.values()].flatMap(({ runs }) => runs[0]?.from ?? []);
    return starts.length > 0 ? Math.min(...starts) : null;
  }

  async close(): Promise<void> {
    this.units.clear();
  }
}

function sizeOf(rows: readonly MemoryRow[]): number {
  return rows.reduce((sum, { bins }) => sum + ROW_BYTES + bins.keys.length * BIN_BYTES, 0);
}

function checkCounts({ observation }: ScrapeFindings): void {
  for (const { counters } of observation.flows)
    if (!counters.every((count) => Number.isSafeInteger(count) && count >= 0))
      throw new StoreError('a scrape has a count that is not a whole number');
}
