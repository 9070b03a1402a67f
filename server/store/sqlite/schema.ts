import type Database from 'better-sqlite3';
import { FLOW_LABELS, UNIT_LABELS } from '../series-labels.ts';
import { StoreError, TIERS, type TierName } from '../store.ts';
import { createFirings } from './alert-tables.ts';
import { copyFromVersion2, OLD_COLUMNS } from './version-2.ts';
import { widenRecords } from './version-4.ts';
import { packLog } from './version-7.ts';

/** Marks a SQLite file as Sidelight's ("Sdlt"). */
export const APPLICATION_ID = 0x53646c74;

/** Table of a tier's blocks. */
export function blockTable(tier: TierName): string {
  return `blocks_${tier}`;
}

/** What a unit stands for. */
export const TARGET = 0;
export const PLACE = 1;
export const SERVICE = 2;

/** Layout of rows of the log that are blocks: their series are told by their ids. */
export const BLOCK = 0;

/** Numbers of `raw` in the first version of a file. */
const FIRST_COLUMNS = OLD_COLUMNS.filter((column) => column !== 'connections');

const VERSION_1 = `
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
`;

/** Views of versions 1 and 2 are not made any more: they would be dropped at once. */
const VERSION_2 = `
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
`;

const unitColumns = UNIT_LABELS.join(', ');
const flowColumns = FLOW_LABELS.map(({ label }) => label).join(', ');

/**
 * `units`: what figures are kept of: a target under one identity, a place (service, namespace, region and zone) or a
 * service. `log`: what happened in `[t0, t1)` and is in no block yet; rows that `feeds` names a service for, and whose
 * ids are above its `progress`, are not in that service's rows yet either; `direction` is -1 for rows of all, and rows of
 * services, of one direction each, are small blocks, with layout 0. `blocks_…`: several slots of one unit in one direction. `pending`: blocks that are not in the next tier yet. `sealed`: ends of the scrapes that are in blocks, so
 * that none is taken in again. All of it adds up: no two rows hold the same request of one unit.
 */
const VERSION_3 = `
  ALTER TABLE series RENAME TO old_series;
  CREATE TABLE units (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, target INTEGER NOT NULL,
    ${UNIT_LABELS.map((label) => `${label} TEXT NOT NULL`).join(', ')},
    place INTEGER NOT NULL, feeds INTEGER NOT NULL, UNIQUE (kind, target, ${unitColumns})
  );
  CREATE TABLE series (
    id INTEGER PRIMARY KEY AUTOINCREMENT, unit INTEGER NOT NULL REFERENCES units (id), direction INTEGER NOT NULL,
    source TEXT NOT NULL, ${FLOW_LABELS.map(({ label }) => `${label} TEXT NOT NULL`).join(', ')},
    UNIQUE (unit, direction, source, ${flowColumns})
  );
  CREATE TABLE layouts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, unit INTEGER NOT NULL REFERENCES units (id), series TEXT NOT NULL,
    UNIQUE (unit, series)
  );
  CREATE TABLE log (
    id INTEGER PRIMARY KEY AUTOINCREMENT, unit INTEGER NOT NULL, feeds INTEGER NOT NULL, direction INTEGER NOT NULL,
    t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, layout INTEGER NOT NULL, data BLOB NOT NULL
  );
  CREATE INDEX log_by_unit ON log (unit, direction, t1);
  CREATE INDEX log_by_service ON log (feeds, id) WHERE feeds > 0;
  CREATE TABLE progress (service INTEGER PRIMARY KEY, closed INTEGER NOT NULL);
  CREATE TABLE sealed (unit INTEGER PRIMARY KEY, scrapes BLOB NOT NULL);
  ${TIERS.map(
    (tier) => `
  CREATE TABLE ${blockTable(tier)} (
    id INTEGER PRIMARY KEY AUTOINCREMENT, unit INTEGER NOT NULL, direction INTEGER NOT NULL, t0 INTEGER NOT NULL,
    t1 INTEGER NOT NULL, data BLOB NOT NULL
  );
  CREATE INDEX ${blockTable(tier)}_by_unit ON ${blockTable(tier)} (unit, direction, t0, t1);
  CREATE INDEX ${blockTable(tier)}_by_end ON ${blockTable(tier)} (t1);`,
  ).join('')}
  CREATE TABLE pending (
    tier INTEGER NOT NULL, unit INTEGER NOT NULL, direction INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL,
    block INTEGER NOT NULL, PRIMARY KEY (tier, unit, direction, t0, block)
  ) WITHOUT ROWID;
  CREATE TABLE coverage (
    unit INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, PRIMARY KEY (unit, t0)
  ) WITHOUT ROWID;
  CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE service_minutes (
    service TEXT NOT NULL, namespace TEXT NOT NULL, minute INTEGER NOT NULL, requests INTEGER NOT NULL,
    requests_2xx INTEGER NOT NULL, requests_3xx INTEGER NOT NULL, requests_4xx INTEGER NOT NULL,
    requests_5xx INTEGER NOT NULL, failures INTEGER NOT NULL, p50_ms REAL, p95_ms REAL, p99_ms REAL,
    PRIMARY KEY (service, namespace, minute)
  ) WITHOUT ROWID;
  CREATE VIEW service_hours AS
    SELECT service, namespace, minute / 3600000 * 3600000 AS hour, sum(requests) AS requests,
      sum(requests_2xx) AS requests_2xx, sum(requests_3xx) AS requests_3xx, sum(requests_4xx) AS requests_4xx,
      sum(requests_5xx) AS requests_5xx, sum(failures) AS failures
    FROM service_minutes GROUP BY service, namespace, hour;
  CREATE VIEW targets_seen AS
    SELECT address, service, namespace, instance, region, zone, role, last_scrape FROM targets;
`;

/** `data` is JSON of a `KeptAlert`, or of an event; `receiver` is a hash of an address. */
const VERSION_4 = `
  CREATE TABLE alerts (rule TEXT NOT NULL, labels TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (rule, labels)) WITHOUT ROWID;
  CREATE TABLE alert_events (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, data TEXT NOT NULL);
  CREATE INDEX alert_events_by_time ON alert_events (at);
  CREATE TABLE alert_cursors (receiver TEXT PRIMARY KEY, event INTEGER NOT NULL) WITHOUT ROWID;
`;

/**
 * `log`: rows of some entries each, as `log-row.ts` packs them; they come at its end and go at its
 * beginning, the newest always stays, so that no id is given twice. An entry is
 * told by its row's id and its place in it. `sealed`: entries of a unit up to this one are in blocks. `targets`: `totals`
 * are those as of `entry`, -1 where there are none; what they grew by since is with the later entries of the log, and what
 * of that is not in the log any more in `growth`.
 */
const VERSION_8 = `
  DROP INDEX log_by_unit;
  DROP INDEX log_by_service;
  ALTER TABLE log RENAME TO old_log;
  CREATE TABLE log (id INTEGER PRIMARY KEY, heads BLOB NOT NULL, data BLOB NOT NULL);
  DROP TABLE sealed;
  CREATE TABLE sealed (id INTEGER PRIMARY KEY AUTOINCREMENT, unit INTEGER NOT NULL, entry INTEGER NOT NULL);
  ALTER TABLE targets ADD COLUMN entry INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE targets ADD COLUMN growth BLOB;
`;

/**
 * `plain_size`: what `totals` take unpacked; 0 where they are not packed. From here on rows of the log tell growth by
 * their records; those of version 8 are read as they are.
 */
const VERSION_9 = 'ALTER TABLE targets ADD COLUMN plain_size INTEGER NOT NULL DEFAULT 0';

/**
 * The columns of the key come first: SQLite 3.40, as in Debian 12, else tells of every row of a sound table that a
 * value is missing when it checks a file.
 */
const VERSION_10 = `
  ALTER TABLE pending RENAME TO old_pending;
  CREATE TABLE pending (
    tier INTEGER NOT NULL, unit INTEGER NOT NULL, direction INTEGER NOT NULL, t0 INTEGER NOT NULL, block INTEGER NOT NULL,
    t1 INTEGER NOT NULL, PRIMARY KEY (tier, unit, direction, t0, block)
  ) WITHOUT ROWID;
  INSERT INTO pending (tier, unit, direction, t0, block, t1) SELECT tier, unit, direction, t0, block, t1 FROM old_pending;
  DROP TABLE old_pending;
`;

/** Each entry brings a file one version further; entries are only ever added. Times are Unix milliseconds. */
const MIGRATIONS: readonly ((database: Database.Database) => void)[] = [
  (database) => void database.exec(VERSION_1),
  (database) => {
    database.exec('DROP VIEW IF EXISTS traffic');
    database.exec(VERSION_2);
  },
  (database) => {
    database.exec('DROP VIEW IF EXISTS traffic; DROP VIEW IF EXISTS zone_traffic');
    database.exec(VERSION_3);
    copyFromVersion2(database);
    database.exec('DROP TABLE raw; DROP TABLE scrapes; DROP TABLE old_series');
  },
  (database) => void database.exec(VERSION_4),
  (database) => {
    // Older files got their log in today's form just now.
    if (versionOf(database) >= 3) widenRecords(database);
  },
  createFirings,
  // Blocks are written in another format from here on, too; those of earlier versions are read as they are.
  (database) => void database.exec('CREATE INDEX targets_by_shape ON targets (shape)'),
  (database) => {
    database.exec(VERSION_8);
    packLog(database);
    database.exec('DROP TABLE old_log');
  },
  (database) => void database.exec(VERSION_9),
  (database) => void database.exec(VERSION_10),
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings a file to this version's schema.
 * @throws StoreError when it belongs to another program or to a newer Sidelight.
 */
export function migrate(database: Database.Database, path: string): void {
  const version = versionOf(database);
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
    for (const step of MIGRATIONS.slice(version)) step(database);
    database.pragma(`application_id = ${APPLICATION_ID}`);
    database.pragma(`user_version = ${SCHEMA_VERSION}`);
  })();
}

/** As it was when it was opened, until it is brought to this version as a whole. */
function versionOf(database: Database.Database): number {
  return Number(database.pragma('user_version', { simple: true }));
}
