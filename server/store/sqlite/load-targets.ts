import type Database from 'better-sqlite3';
import type { Identity } from '../../model/flow.ts';
import { foldGrowth } from '../../model/growth.ts';
import type { StoredTarget } from '../../model/scrape-record.ts';
import { framesOf } from './growth-frames.ts';
import type { LogData } from './log-data.ts';
import type { LogIndex } from './log-index.ts';
import { entryId } from './log-row.ts';
import { unpackBytes } from './packed-bytes.ts';
import { prepared } from './prepared.ts';

interface StoredRow extends Identity {
  id: number;
  target: string;
  lastScrape: number;
  startedAt: number | null;
  inbound: number;
  shape: string;
  bytes: Uint8Array;
  plainSize: number;
  entry: number;
  growth: Uint8Array | null;
}

interface Grown {
  lastScrape: number;
  growth: readonly Uint8Array[];
}

/** Growth is added up whenever there is so much of a target: all of a fleet's would take much memory for a moment. */
const FOLDED_AT = 12;

/** The targets whose totals are known, with what those grew by since they were written as a whole. */
export function loadTargets(database: Database.Database, log: { index: LogIndex; data: LogData }): StoredTarget[] {
  const rows = prepared(
    database,
    `SELECT targets.id, address AS target, last_scrape AS lastScrape, started_at AS startedAt, inbound, service, namespace,
       instance, region, zone, role, shapes.text AS shape, totals AS bytes, plain_size AS plainSize, entry, growth
     FROM targets JOIN shapes ON shapes.id = targets.shape WHERE entry >= 0`,
  ).all() as StoredRow[];
  const grown = new Map(rows.map(({ id, lastScrape, growth }) => [id, { lastScrape, growth: framesOf(growth) }]));
  const targets = new Map(prepared(database, 'SELECT id, target FROM units').raw().all() as [number, number][]);
  follow(log, { targets, entries: new Map(rows.map(({ id, entry }) => [id, entry])), grown });
  return rows.map(
    ({ id, target, startedAt, inbound, shape, bytes, plainSize, entry: _, lastScrape, growth: __, ...identity }) => ({
      target,
      lastScrape: grown.get(id)?.lastScrape ?? lastScrape,
      startedAt,
      inbound: inbound === 1,
      identity,
      totals: { shape, values: unpackBytes({ bytes, plainSize }), growth: foldGrowth(grown.get(id)?.growth ?? []) },
    }),
  );
}

/** By target; `targets` are those of units. */
interface Followed {
  readonly targets: ReadonlyMap<number, number>;
  readonly entries: ReadonlyMap<number, number>;
  readonly grown: ReadonlyMap<number, Grown>;
}

/** Adds what the log tells of targets after these entries. */
function follow({ index, data }: { index: LogIndex; data: LogData }, { targets, entries, grown }: Followed): void {
  for (const row of index.all)
    for (let position = 0; position < row.count; position++) {
      if (!row.grows(position)) continue;
      const id = entryId(row.id, position);
      const target = targets.get(row.unit(position)) ?? 0;
      const known = grown.get(target);
      if (!known || id <= (entries.get(target) ?? 0)) continue;
      const growth = [...known.growth, data.growth(id).slice()];
      known.growth = growth.length < FOLDED_AT ? growth : foldGrowth(growth);
      known.lastScrape = row.t1(position);
    }
}
