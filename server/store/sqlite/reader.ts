import Database from 'better-sqlite3';
import { COUNTERS, type Identity, type LatencySource, STORED_GAUGES } from '../../model/flow.ts';
import type { StoredTarget } from '../../model/scrape-record.ts';
import { Coverage } from '../coverage.ts';
import { SERIES_LABELS, type StoreOptions, type StoreStatus, type SumAnswer, type SumQuery } from '../store.ts';
import { type Row, type Series, Sums } from '../sums.ts';
import { NUMBER_COLUMNS, SCHEMA_VERSION } from './schema.ts';

/** Scrapes that ended up to this long after a query's end may still reach into it. */
const LONGEST_INTERVAL_MS = 400 * 86_400_000;

const FIRST_NUMBER = 3;
const FIRST_GAUGE = FIRST_NUMBER + COUNTERS.length;
const BINS = FIRST_GAUGE + STORED_GAUGES.length;

/** A connection that only reads. Synchronous: it lives in a worker thread. */
export class SqliteReader {
  private readonly database: Database.Database;
  private readonly options: StoreOptions;

  constructor(options: StoreOptions) {
    this.options = options;
    this.database = new Database(options.path, { readonly: true, timeout: 5000 });
  }

  sums(query: SumQuery): SumAnswer {
    return this.database.transaction(() => this.sumsNow(query))();
  }

  private sumsNow(query: SumQuery): SumAnswer {
    const range = { from: query.from, to: query.to, latest: query.to + LONGEST_INTERVAL_MS };
    const coverage = new Coverage();
    const scrapes = this.database
      .prepare('SELECT target, t0, t1 FROM scrapes WHERE t1 > :from AND t1 < :latest AND t0 < :to ORDER BY t1')
      .raw();
    for (const row of scrapes.iterate(range)) {
      const [target, from, to] = row as [number, number, number];
      coverage.add(target, { from, to });
    }
    const sums = new Sums(query, coverage);
    for (const series of this.series(query)) sums.addSeries(series);
    const columns = `series, t0, t1, ${NUMBER_COLUMNS.join(', ')}${query.bins ? ', bins' : ''}`;
    const rows = this.database
      .prepare(`SELECT ${columns} FROM raw WHERE t1 > :from AND t1 < :latest AND t0 < :to ORDER BY t1`)
      .raw();
    for (const row of rows.iterate(range)) sums.addRow(toRow(row as unknown[]));
    return { groups: sums.finish(), other: null, tiers: ['raw'] };
  }

  private series(query: SumQuery): Series[] {
    const conditions = ['direction = ?'];
    const values: string[] = [query.direction];
    for (const label of SERIES_LABELS) {
      const wanted = query.match[label];
      if (!wanted) continue;
      conditions.push(`${label} IN (${wanted.map(() => '?').join(', ')})`);
      values.push(...wanted);
    }
    const select = this.database.prepare(
      `SELECT id, target, source, ${SERIES_LABELS.join(', ')} FROM series WHERE ${conditions.join(' AND ')}`,
    );
    return select.all(...values).map((row) => {
      const { id, target, source, ...labels } = row as {
        id: number;
        target: number;
        source: LatencySource;
      } & Series['labels'];
      return { id, target, source, labels };
    });
  }

  loadTargets(): StoredTarget[] {
    const select = this.database.prepare(
      `SELECT address AS target, last_scrape AS lastScrape, started_at AS startedAt, inbound, service, namespace, instance, region, zone, role,
         shapes.text AS shape, totals AS "values" FROM targets JOIN shapes ON shapes.id = targets.shape`,
    );
    return select.all().map((row) => {
      const { target, lastScrape, startedAt, inbound, shape, values, ...identity } = row as StoredRow;
      return { target, lastScrape, startedAt, inbound: inbound === 1, identity, totals: { shape, values } };
    });
  }

  status(): StoreStatus {
    const pages = Number(this.database.pragma('page_count', { simple: true }));
    const pageSize = Number(this.database.pragma('page_size', { simple: true }));
    const oldest = this.database.prepare('SELECT t0 FROM scrapes ORDER BY t1 LIMIT 1').pluck().get();
    return {
      path: this.options.path,
      bytes: pages * pageSize,
      usedBytes: pages * pageSize,
      maxBytes: this.options.maxBytes,
      tiers: [],
      logRows: 0,
      notice: '',
      schemaVersion: SCHEMA_VERSION,
      oldest: typeof oldest === 'number' ? oldest : null,
    };
  }

  close(): void {
    this.database.close();
  }
}

interface StoredRow extends Identity {
  target: string;
  lastScrape: number;
  startedAt: number | null;
  inbound: number;
  shape: string;
  values: Uint8Array;
}

function toRow(row: readonly unknown[]): Row {
  const numbers = row as number[];
  const bins = row[BINS];
  return {
    series: numbers[0] ?? 0,
    interval: { from: numbers[1] ?? 0, to: numbers[2] ?? 0 },
    counters: numbers.slice(FIRST_NUMBER, FIRST_GAUGE),
    gauges: numbers.slice(FIRST_GAUGE, BINS),
    bins: bins instanceof Uint8Array ? bins : null,
  };
}
