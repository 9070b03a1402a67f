import type Database from 'better-sqlite3';
import { COUNTERS, STORED_GAUGES } from '../../model/flow.ts';
import { StoreError } from '../store.ts';

/** Marks a SQLite file as Sidelight's ("Sdlt"). */
const APPLICATION_ID = 0x53646c74;

/** Columns of `raw` that hold one number per counter and gauge, in the order of `COUNTERS` and `STORED_GAUGES`. */
export const NUMBER_COLUMNS: readonly string[] = [...COUNTERS.map(counterColumn), ...STORED_GAUGES];

function counterColumn(counter: string): string {
  return /^\d/.test(counter) ? `requests_${counter}` : counter;
}

/** The same in the first version of a file. */
const FIRST_COLUMNS: readonly string[] = NUMBER_COLUMNS.filter((column) => column !== 'connections');

const view = (name: string, label: string) => `
  CREATE VIEW ${name} AS
    SELECT series.service, series.namespace, series.instance, series.region, series.zone, ${label}, series.peer,
      raw.t0 AS from_ms, raw.t1 AS to_ms,`;

/** Requests by zone are in a view of their own, so that nobody adds them to the requests that they are a part of. */
const TRAFFIC_VIEWS = `
  ${view('traffic', 'series.direction')} ${NUMBER_COLUMNS.map((column) => `raw.${column}`).join(', ')}
    FROM raw JOIN series ON series.id = raw.series WHERE series.direction <> 'zone';
  ${view('zone_traffic', 'series.peer_zone')}
    raw.requests_2xx, raw.requests_3xx, raw.requests_4xx, raw.requests_5xx
    FROM raw JOIN series ON series.id = raw.series WHERE series.direction = 'zone';
`;

/**
 * Each entry brings a file one version further; entries are only ever added. Times are Unix milliseconds.
 * `raw` holds what a series did in `[t0, t1)`; a row is left out where nothing happened, and `scrapes` tells a
 * zero from a gap.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE shapes (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, text TEXT NOT NULL);
  CREATE TABLE targets (
    id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, service TEXT NOT NULL, namespace TEXT NOT NULL,
    instance TEXT NOT NULL, region TEXT NOT NULL, zone TEXT NOT NULL, role TEXT NOT NULL, inbound INTEGER NOT NULL,
    started_at INTEGER, last_scrape INTEGER NOT NULL, shape INTEGER NOT NULL REFERENCES shapes (id), totals BLOB NOT NULL
  );
  CREATE TABLE series (
    id INTEGER PRIMARY KEY, target INTEGER NOT NULL REFERENCES targets (id), direction TEXT NOT NULL, source TEXT NOT NULL,
    service TEXT NOT NULL, namespace TEXT NOT NULL, instance TEXT NOT NULL, region TEXT NOT NULL, zone TEXT NOT NULL,
    peer TEXT NOT NULL, peer_namespace TEXT NOT NULL,
    UNIQUE (target, direction, source, service, namespace, instance, region, zone, peer, peer_namespace)
  );
  CREATE TABLE scrapes (
    t1 INTEGER NOT NULL, target INTEGER NOT NULL, t0 INTEGER NOT NULL, PRIMARY KEY (t1, target)
  ) WITHOUT ROWID;
  CREATE TABLE raw (
    t1 INTEGER NOT NULL, series INTEGER NOT NULL, t0 INTEGER NOT NULL,
    ${FIRST_COLUMNS.map((column) => `${column} INTEGER NOT NULL`).join(', ')},
    bins BLOB, PRIMARY KEY (t1, series)
  ) WITHOUT ROWID;
${view('traffic', 'series.direction')} ${FIRST_COLUMNS.map((column) => `raw.${column}`).join(', ')}
    FROM raw JOIN series ON series.id = raw.series;
  `,
  `
  DROP VIEW traffic;
  ALTER TABLE series RENAME TO old_series;
  CREATE TABLE series (
    id INTEGER PRIMARY KEY, target INTEGER NOT NULL REFERENCES targets (id), direction TEXT NOT NULL, source TEXT NOT NULL,
    service TEXT NOT NULL, namespace TEXT NOT NULL, instance TEXT NOT NULL, region TEXT NOT NULL, zone TEXT NOT NULL,
    peer TEXT NOT NULL, peer_namespace TEXT NOT NULL, peer_zone TEXT NOT NULL,
    UNIQUE (target, direction, source, service, namespace, instance, region, zone, peer, peer_namespace, peer_zone)
  );
  INSERT INTO series SELECT *, '' FROM old_series;
  DROP TABLE old_series;
  ALTER TABLE raw ADD COLUMN connections INTEGER NOT NULL DEFAULT 0;
  ${TRAFFIC_VIEWS}
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings a file to this version's schema.
 * @throws StoreError when it belongs to another program or to a newer Sidelight.
 */
export function migrate(database: Database.Database, path: string): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  const application = Number(database.pragma('application_id', { simple: true }));
  const isEmpty = database.prepare('SELECT count(*) AS n FROM sqlite_schema').pluck().get() === 0;
  if (application !== APPLICATION_ID && !isEmpty) {
    throw new StoreError(
      `storage.path ${path}: the file is a database of another program: choose another storage.path`,
    );
  }
  if (version > SCHEMA_VERSION) {
    throw new StoreError(
      `storage.path ${path}: the file was written by a newer Sidelight (schema ${version}, this one knows ${SCHEMA_VERSION}): run that version, or choose another storage.path`,
    );
  }
  database.transaction(() => {
    for (const step of MIGRATIONS.slice(version)) database.exec(step);
    database.pragma(`application_id = ${APPLICATION_ID}`);
    database.pragma(`user_version = ${SCHEMA_VERSION}`);
  })();
}
