import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import type { FlowIncrement, Identity } from '../../model/flow.ts';
import { STORED_GAUGES } from '../../model/flow.ts';
import { encodeBins } from '../../model/histogram.ts';
import { keyOf } from '../../model/labels.ts';
import type { ScrapeFindings, ScrapeRecord } from '../../model/scrape-record.ts';
import { migrate, NUMBER_COLUMNS } from './schema.ts';
import { lockForWriting, type WriterLock } from './writer-lock.ts';

/** The one connection that writes. Synchronous: it lives in a worker thread. */
export class SqliteWriter {
  private readonly database: Database.Database;
  private readonly lock: WriterLock;
  private readonly statements: ReturnType<typeof prepare>;
  private readonly seriesIds = new Map<string, number>();
  private readonly shapeIds = new Map<string, number>();
  /** Series whose newest row has all gauges at 0; a row without figures needs no repeating for these. */
  private readonly restingSeries = new Set<number>();

  /** @throws StoreError, or SQLite's error when the file can't be opened. */
  constructor(path: string) {
    this.lock = lockForWriting(path);
    try {
      this.database = openDatabase(path);
    } catch (error) {
      this.lock.release();
      throw error;
    }
    this.statements = prepare(this.database);
  }

  append(round: readonly ScrapeRecord[]): void {
    try {
      this.database.transaction(() => {
        for (const record of round) if (record.findings) this.appendScrape(record, record.findings);
      })();
    } catch (error) {
      this.forgetIds();
      throw error;
    }
  }

  /** Forgets at most `limitMs` of the oldest intervals that ended before `before`; true when there is more to forget. */
  expire(before: number, limitMs: number): boolean {
    const oldest = this.statements.oldest.get();
    if (typeof oldest !== 'number' || oldest >= before) return false;
    const end = Math.min(before, oldest + limitMs);
    this.database.transaction(() => {
      this.statements.expireRaw.run(end);
      this.statements.expireScrapes.run(end);
      this.statements.expireShapes.run();
    })();
    this.shapeIds.clear();
    return end < before;
  }

  close(): void {
    this.database.pragma('wal_checkpoint(TRUNCATE)');
    this.database.close();
    this.lock.release();
  }

  /** What a transaction that was taken back had remembered is not true any more. */
  private forgetIds(): void {
    this.seriesIds.clear();
    this.shapeIds.clear();
    this.restingSeries.clear();
  }

  private appendScrape(record: ScrapeRecord, findings: ScrapeFindings): void {
    const { observation } = findings;
    const target = this.keepTarget(record, findings);
    if (observation.to <= observation.from) return;
    this.statements.addScrape.run(observation.to, target, observation.from);
    for (const increment of observation.flows) {
      const series = this.seriesId(target, observation.identity, increment.flow);
      const gauges = increment.gauges.subarray(0, STORED_GAUGES.length);
      const atRest = gauges.every((value) => value === 0);
      if (
        atRest &&
        this.restingSeries.has(series) &&
        increment.counters.every((count) => count === 0) &&
        increment.bins.keys.length === 0
      )
        continue;
      if (atRest) this.restingSeries.add(series);
      else this.restingSeries.delete(series);
      const bins = increment.bins.keys.length > 0 ? encodeBins(increment.bins) : null;
      const from = increment.from ?? observation.from;
      this.statements.addRow.run(observation.to, series, from, ...increment.counters, ...gauges, bins);
    }
  }

  private keepTarget(record: ScrapeRecord, { observation, totals, startedAt, inbound }: ScrapeFindings): number {
    const { service, namespace, instance, region, zone, role } = observation.identity;
    const fields = { service, namespace, instance, region, zone, role };
    const row = { ...fields, address: record.target, inbound: inbound ? 1 : 0, startedAt, lastScrape: observation.to };
    const kept = { ...row, shape: this.shapeId(totals.shape), totals: totals.values };
    return Number(this.statements.keepTarget.get(kept));
  }

  private shapeId(shape: string): number {
    const known = this.shapeIds.get(shape);
    if (known !== undefined) return known;
    const hash = createHash('sha256').update(shape).digest('hex');
    const id = Number(this.statements.keepShape.get({ hash, text: shape }));
    this.shapeIds.set(shape, id);
    return id;
  }

  private seriesId(target: number, identity: Identity, flow: FlowIncrement['flow']): number {
    const { service, namespace, instance, region, zone } = identity;
    const labels = [
      flow.direction,
      flow.source,
      service,
      namespace,
      instance,
      region,
      zone,
      flow.peer,
      flow.peerNamespace,
      flow.peerZone ?? '',
    ];
    const key = keyOf([String(target), ...labels]);
    const known = this.seriesIds.get(key);
    if (known !== undefined) return known;
    const id = Number(this.statements.keepSeries.get(target, ...labels));
    this.seriesIds.set(key, id);
    return id;
  }
}

function openDatabase(path: string): Database.Database {
  const database = new Database(path, { timeout: 5000 });
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    migrate(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Upserts return the row's id; the update that changes nothing makes SQLite return it for a known row too. */
function prepare(database: Database.Database) {
  const marks = NUMBER_COLUMNS.map(() => '?').join(', ');
  return {
    keepShape: database
      .prepare(
        'INSERT INTO shapes (hash, text) VALUES (:hash, :text) ON CONFLICT (hash) DO UPDATE SET hash = hash RETURNING id',
      )
      .pluck(),
    keepTarget: database
      .prepare(
        `INSERT INTO targets (address, service, namespace, instance, region, zone, role, inbound, started_at, last_scrape, shape, totals)
         VALUES (:address, :service, :namespace, :instance, :region, :zone, :role, :inbound, :startedAt, :lastScrape, :shape, :totals)
         ON CONFLICT (address) DO UPDATE SET service = :service, namespace = :namespace, instance = :instance, region = :region,
           zone = :zone, role = :role, inbound = :inbound, started_at = :startedAt, last_scrape = :lastScrape, shape = :shape,
           totals = :totals RETURNING id`,
      )
      .pluck(),
    keepSeries: database
      .prepare(
        `INSERT INTO series (target, direction, source, service, namespace, instance, region, zone, peer, peer_namespace, peer_zone)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (target, direction, source, service, namespace, instance, region, zone, peer, peer_namespace, peer_zone)
         DO UPDATE SET source = source RETURNING id`,
      )
      .pluck(),
    addScrape: database.prepare(
      'INSERT INTO scrapes (t1, target, t0) VALUES (?, ?, ?) ON CONFLICT (t1, target) DO NOTHING',
    ),
    addRow: database.prepare(
      `INSERT INTO raw (t1, series, t0, ${NUMBER_COLUMNS.join(', ')}, bins) VALUES (?, ?, ?, ${marks}, ?)
       ON CONFLICT (t1, series) DO NOTHING`,
    ),
    oldest: database.prepare('SELECT min(t1) FROM scrapes').pluck(),
    expireRaw: database.prepare('DELETE FROM raw WHERE t1 < ?'),
    expireScrapes: database.prepare('DELETE FROM scrapes WHERE t1 < ?'),
    /** Names that no target's totals go by any more. */
    expireShapes: database.prepare('DELETE FROM shapes WHERE id NOT IN (SELECT shape FROM targets)'),
  };
}
