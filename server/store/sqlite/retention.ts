import type Database from 'better-sqlite3';
import {
  ALERT_EVENTS_MS,
  ALERT_FIRINGS_MS,
  MAX_ALERT_EVENTS,
  MAX_ALERT_FIRINGS,
  TIERS,
  type TierName,
} from '../store.ts';
import type { Parts } from './closing.ts';
import { prepared } from './prepared.ts';
import { blockTable, TARGET } from './schema.ts';
import type { Chore } from './writer.ts';

const MINUTE_MS = 60_000;
/** Blocks that one piece of work deletes. */
const SLICE = 25;
/** Units that one piece of work looks at. */
const UNITS_AT_ONCE = 500;
/** Services whose minutes one piece of work looks at. */
const SERVICES_AT_ONCE = 10;
const LOOK_EVERY_MS = MINUTE_MS;
/** What has to be looked for in whole tables. */
const SEARCH_EVERY_MS = 10 * MINUTE_MS;
/**
 * Last totals of a target that was not seen for this long may go, or for so many scrape intervals: when it was seen last is
 * only written down with whole totals.
 */
const LEAST_TOTALS_MS = 30 * MINUTE_MS;
const LEAST_INTERVALS = 3;
/** After a pause of the collector, targets have this long to be seen again. */
const GRACE_MS = 10 * MINUTE_MS;

type ServiceName = { readonly service: string; readonly namespace: string };

/** Forgets what is too old, and what there is no room for. */
export class Retention implements Chore {
  private readonly parts: Parts;
  private readonly statements: ReturnType<typeof prepare>;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private searchedAt = Number.NEGATIVE_INFINITY;
  /** When it began to look: what is older than that was not missed by this process. */
  private since: number | undefined;
  /** What is still to be searched for. */
  private searches: (() => void)[] = [];
  /** The service whose minutes are forgotten next, or that comes after this one, while all are gone through. */
  private minutes: { service: string; namespace: string; readonly before: number } | undefined;
  /** The unit that was looked at last, while names are looked through, and how many were found that nobody needs. */
  private names: { lastUnit: number; forgotten: number } | undefined;

  constructor(parts: Parts) {
    this.parts = parts;
    this.statements = prepare(parts.database);
  }

  forget(): void {
    this.lookedAt = Number.NEGATIVE_INFINITY;
    this.searchedAt = Number.NEGATIVE_INFINITY;
    this.searches = [];
    this.minutes = undefined;
    this.names = undefined;
  }

  step(now: number): boolean {
    if (now >= this.lookedAt && now < this.lookedAt + LOOK_EVERY_MS) return false;
    this.since = Math.min(this.since ?? now, now);
    for (const [tier, name] of TIERS.entries()) if (this.expire(tier, name, now)) return true;
    if (this.makeRoom()) return true;
    if (this.search(now)) return true;
    if (this.expireMinutes()) return true;
    if (this.forgetUnits()) return true;
    this.lookedAt = now;
    return false;
  }

  private expire(tier: number, name: TierName, now: number): boolean {
    return this.forgetBefore(tier, name, now - this.parts.options.retentionMs[name]);
  }

  /**
   * Forgets a slice of a tier's blocks, as far as the next tier has them; false when there was none. What is told to be
   * forgotten ends with them, not with `cut`: that may be of a clock that is ahead.
   */
  private forgetBefore(tier: number, name: TierName, cut: number): boolean {
    const oldest = this.statements.oldest[name].get();
    if (typeof oldest !== 'number' || oldest > cut) return false;
    const pending = this.statements.pending.get(tier);
    const before = Math.floor(typeof pending === 'number' ? Math.min(cut, pending) : cut);
    if (oldest > before) return false;
    const ends = this.statements.drop[name].all(before, SLICE) as number[];
    this.statements.setKept.run(`kept:${name}`, Math.max(...ends));
    return true;
  }

  /** Shortens the tier that reaches back farthest. */
  private makeRoom(): boolean {
    if (usedBytes(this.parts.database) <= this.parts.options.maxBytes) return false;
    const reach = TIERS.flatMap((name, tier) => {
      const oldest = this.statements.oldest[name].get();
      return typeof oldest === 'number' ? [{ tier, name, oldest }] : [];
    });
    for (const { tier, name } of reach.sort((a, b) => a.oldest - b.oldest)) {
      const cut = this.statements.sliceEnd[name].get(SLICE - 1) ?? this.statements.newest[name].get();
      if (typeof cut === 'number' && this.forgetBefore(tier, name, cut)) return true;
    }
    return false;
  }

  /** One search; false when there was none to be made. */
  private search(now: number): boolean {
    if (this.searches.length === 0) {
      if (now >= this.searchedAt && now < this.searchedAt + SEARCH_EVERY_MS) return false;
      this.searchedAt = now;
      this.searches = this.searchesAt(now);
    }
    this.searches.shift()?.();
    return true;
  }

  private searchesAt(now: number): (() => void)[] {
    const { statements } = this;
    const { retentionMs } = this.parts.options;
    const longest = Math.max(...TIERS.map((name) => retentionMs[name]));
    const instancesMs = Math.max(retentionMs.raw, retentionMs['1m']);
    const firedBefore = now - ALERT_FIRINGS_MS;
    return [
      () => statements.expireCoverage.run(now - longest),
      () => statements.expireTargetCoverage.run(now - instancesMs, TARGET),
      () => this.expireTargets(now, instancesMs),
      () => {
        this.minutes = { service: '', namespace: '', before: now - retentionMs['1m'] };
      },
      () => {
        const { changes } = statements.expireShapes.run();
        if (changes > 0) this.parts.catalog.forgetShapes();
      },
      () => statements.expireAlertEvents.run(now - ALERT_EVENTS_MS, MAX_ALERT_EVENTS),
      () => statements.expireAlertFirings.run(firedBefore, firedBefore, MAX_ALERT_FIRINGS),
      () => {
        this.names = { lastUnit: 0, forgotten: 0 };
      },
    ];
  }

  /** Last totals are kept as long as what else is known of instances: those of pods that were would pile up. */
  private expireTargets(now: number, instancesMs: number): void {
    if (now - (this.since ?? now) < GRACE_MS) return;
    const leastMs = Math.max(LEAST_TOTALS_MS, LEAST_INTERVALS * this.parts.options.intervalMs);
    const expired = this.statements.expireTargets.all(now - Math.max(instancesMs, leastMs)) as number[];
    if (expired.length > 0) this.parts.forgetNames(expired);
  }

  /** Old minutes of some services that are told for plain SQL. */
  private expireMinutes(): boolean {
    const { minutes, statements } = this;
    if (!minutes) return false;
    for (let services = 0; services < SERVICES_AT_ONCE; services++) {
      const next = statements.nextOfMinutes.get(minutes.service, minutes.namespace) as ServiceName | undefined;
      if (!next) {
        this.minutes = undefined;
        return true;
      }
      statements.dropMinutes.run(next.service, next.namespace, minutes.before);
      Object.assign(minutes, next);
    }
    return true;
  }

  /**
   * Targets that nothing is kept of by themselves: instances come and go, and their names with them. Readers are told once
   * at the end: they then read all names anew.
   */
  private forgetUnits(): boolean {
    const { names, statements } = this;
    if (!names) return false;
    const to = statements.lastUnit.get(names.lastUnit, UNITS_AT_ONCE);
    if (typeof to !== 'number') {
      if (names.forgotten > 0) statements.countForgotten.run(names.forgotten);
      this.names = undefined;
      return true;
    }
    const empty = statements.emptyUnits.all(names.lastUnit, to, TARGET) as number[];
    names.lastUnit = to;
    const units = empty.filter((unit) => !this.parts.index.has(unit));
    if (units.length === 0) return true;
    for (const unit of units) for (const drop of statements.dropUnit) drop.run(unit);
    names.forgotten += units.length;
    this.parts.forgetNames([]);
    return true;
  }
}

/** What of a file is in use. */
export function usedBytes(database: Database.Database): number {
  const number = (name: string): number => Number(prepared(database, `PRAGMA ${name}`).pluck().get());
  return (number('page_count') - number('freelist_count')) * number('page_size');
}

function prepare(database: Database.Database) {
  const each = (sql: (table: string) => string): Record<TierName, Database.Statement> => {
    const entries = TIERS.map((name) => [name, database.prepare(sql(blockTable(name))).pluck()]);
    return Object.fromEntries(entries) as Record<TierName, Database.Statement>;
  };
  return {
    oldest: each((table) => `SELECT min(t1) FROM ${table}`),
    newest: each((table) => `SELECT max(t1) FROM ${table}`),
    sliceEnd: each((table) => `SELECT t1 FROM ${table} ORDER BY t1 LIMIT 1 OFFSET ?`),
    drop: each(
      (table) =>
        `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE t1 <= ? ORDER BY t1 LIMIT ?) RETURNING t1`,
    ),
    pending: database.prepare('SELECT min(t0) FROM pending WHERE tier = ?').pluck(),
    setKept: database.prepare(
      'INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)',
    ),
    lastUnit: database.prepare('SELECT max(id) FROM (SELECT id FROM units WHERE id > ? ORDER BY id LIMIT ?)').pluck(),
    nextOfMinutes: database.prepare(
      'SELECT service, namespace FROM service_minutes WHERE (service, namespace) > (?, ?) ORDER BY service, namespace LIMIT 1',
    ),
    dropMinutes: database.prepare('DELETE FROM service_minutes WHERE service = ? AND namespace = ? AND minute < ?'),
    emptyUnits: database
      .prepare(
        `SELECT id FROM units WHERE id > ? AND id <= ? AND kind = ? AND NOT EXISTS (SELECT 1 FROM coverage WHERE unit = units.id)
           AND NOT EXISTS (SELECT 1 FROM blocks_raw WHERE unit = units.id)
           AND NOT EXISTS (SELECT 1 FROM blocks_1m WHERE unit = units.id)
           AND NOT EXISTS (SELECT 1 FROM targets WHERE targets.id = units.target AND targets.service = units.service
             AND targets.namespace = units.namespace AND targets.instance = units.instance
             AND targets.region = units.region AND targets.zone = units.zone)`,
      )
      .pluck(),
    dropUnit: [
      'DELETE FROM layouts WHERE unit = ?',
      'DELETE FROM series WHERE unit = ?',
      'DELETE FROM units WHERE id = ?',
    ].map((sql) => database.prepare(sql)),
    countForgotten: database.prepare(
      `INSERT INTO state (name, value) VALUES ('forgotten', ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value`,
    ),
    expireTargetCoverage: database.prepare(
      'DELETE FROM coverage WHERE t1 < ? AND unit IN (SELECT id FROM units WHERE kind = ?)',
    ),
    expireTargets: database.prepare('DELETE FROM targets WHERE last_scrape < ? RETURNING id').pluck(),
    expireCoverage: database.prepare('DELETE FROM coverage WHERE t1 < ?'),
    expireAlertEvents: database.prepare(
      'DELETE FROM alert_events WHERE at < ? OR id <= (SELECT max(id) FROM alert_events) - ?',
    ),
    expireAlertFirings: database.prepare(
      `DELETE FROM alert_firings WHERE id IN (SELECT id FROM alert_firings WHERE fired_at < ? AND ended_at < ?)
         OR id <= (SELECT max(id) FROM alert_firings) - ?`,
    ),
    /** Names that no target's totals go by any more. */
    expireShapes: database.prepare('DELETE FROM shapes WHERE id NOT IN (SELECT shape FROM targets)'),
  };
}
