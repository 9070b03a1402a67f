/** Files of earlier versions; each fixture was written by the version itself, that of version 6 from a file of version 5. */

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { COUNTER_INDEX, type Counter } from '../../server/model/flow.ts';
import { GrowthSum } from '../../server/model/growth.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import type { Cell, SumQuery } from '../../server/store/store.ts';
import { grownBy } from './growth.ts';
import { storeOptions } from './options.ts';
import { binsOf } from './records.ts';
import { temporaryFolder } from './temporary-folder.ts';

const START = 1_700_000_040_000;

const count = (cell: Cell | null | undefined, counter: Counter) => cell?.counters[COUNTER_INDEX[counter]];

const fixture = (version: number) => fileURLToPath(new URL(`../fixtures/store/version-${version}.db`, import.meta.url));

async function migrated(version: number): Promise<{ store: SqliteStore; path: string }> {
  const path = join(temporaryFolder(), 'sidelight.db');
  copyFileSync(fixture(version), path);
  const store = await SqliteStore.open(storeOptions(path));
  onTestFinished(() => store.close());
  return { store, path };
}

async function expectEverything(store: SqliteStore): Promise<void> {
  const query: SumQuery = {
    from: START,
    to: START + 70_000,
    direction: 'inbound',
    match: {},
    by: ['service'],
    bins: true,
  };
  const { groups: inbound } = await store.sums(query);
  const shop = inbound.find(({ labels }) => labels.service === 'shop')?.cells[0];
  expect([count(shop, '2xx'), count(shop, '5xx')]).toEqual([75, 15]);
  expect(shop?.bins).toEqual({ keys: [93, 201], counts: [75, 15] });
  expect(inbound.find(({ labels }) => labels.service === 'cart')?.cells[0]).toMatchObject({ meanMs: null });
  const { groups: outbound } = await store.sums({
    ...query,
    direction: 'outbound',
    by: ['peer', 'peer_namespace', 'region'],
  });
  const sent = outbound.map(({ labels, cells }) => [
    labels.peer,
    labels.region,
    count(cells[0], '2xx'),
    cells[0]?.timeoutsWithoutSample,
  ]);
  expect(sent.sort()).toEqual([
    ['cart', 'eu', 15, 3],
    ['cart', 'us', 15, 3],
    ['idle', 'eu', 0, 0],
    ['idle', 'us', 0, 0],
  ]);
  const steps = await store.sums({ ...query, stepMs: 10_000, match: { service: ['shop'] }, bins: false });
  expect(steps.groups[0]?.cells.map((cell) => count(cell, '2xx') ?? null)).toEqual([10, 11, 12, 13, 14, 15, null]);
  expect(steps.groups[0]?.cells.map((cell) => cell?.gauges?.[0] ?? null)).toEqual([2, 2, 0, 2, 2, 2, null]);
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
  'a file of version %i keeps every request, and its last totals',
  async (version) => {
    const { store, path } = await migrated(version);
    await expectEverything(store);
    expect((await store.loadTargets()).slice(0, 2)).toMatchObject([
      {
        target: 'a:9901',
        lastScrape: START + 60_000,
        startedAt: START - 5000,
        identity: { service: 'shop', region: 'us' },
        totals: { shape: '["v1"]', values: Uint8Array.of(1, 2, 5) },
      },
      { target: 'b:9901' },
    ]);
    while (await store.upkeep(START + 3_600_000));
    await expectEverything(store);
    const database = new Database(path, { readonly: true });
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
    database.close();
    expect(tables).not.toContain('raw');
    expect(tables).not.toContain('scrapes');
    expect(tables).not.toContain('old_series');
    expect(tables).not.toContain('old_log');
    expect(tables).not.toContain('old_pending');
  },
);

test.each([2, 3, 4, 5, 6, 7, 8, 9])('what version %i knew by zone stays by zone', async (version) => {
  const { store } = await migrated(version);
  const query = {
    from: START,
    to: START + 60_000,
    direction: 'zone',
    match: {},
    by: ['peer', 'peer_zone'],
    bins: false,
  } as const;
  const { groups } = await store.sums(query);
  expect(groups.map(({ labels, cells }) => [labels, count(cells[0], '2xx')])).toEqual([
    [{ peer: 'cart', peer_zone: 'z2' }, 24],
  ]);
});

test.each([8, 9])('what totals of version %i grew by is told with them', async (version) => {
  const { store } = await migrated(version);
  const grown = (scrape: number) => ({ bins: binsOf({ 5: scrape, 30: 2 }), value: scrape + 2, counter: scrape + 1 });
  const growth = new GrowthSum();
  for (const { bins, value, counter } of [1, 2, 3].map(grown)) {
    growth.value(3, value);
    growth.histogram(0, bins);
    growth.counter(0, 0, 1);
    growth.counter(0, 1, counter);
    growth.bins(0, bins);
  }
  expect((await store.loadTargets())[2]).toMatchObject({
    target: 'c:9901',
    lastScrape: START + 40_000,
    totals: { shape: '["v1"]', values: Uint8Array.of(1, 2, 5), growth: [growth.finish()] },
  });
});

test('totals that version 9 packed are told with what they grew by, from rows of the log and from what was taken out of it', async () => {
  const { store } = await migrated(9);
  expect((await store.loadTargets())[3]).toMatchObject({
    target: 'd:9901',
    lastScrape: START + 110_000,
    totals: {
      shape: '["v9"]',
      values: Uint8Array.from({ length: 400 }, (_, index) => index % 7),
      growth: [grownBy(5)],
    },
  });
});

test('in tables that are in the order of their key its columns come first, as old SQLite wants them to check a file', async () => {
  const { path } = await migrated(9);
  const database = new Database(path, { readonly: true });
  onTestFinished(() => void database.close());
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE sql LIKE '%WITHOUT ROWID%'").pluck();
  const columns = database.prepare('SELECT pk FROM pragma_table_info(?)').pluck();
  for (const name of tables.all()) {
    const places = columns.all(name).map(Number);
    const keys = places.filter((place) => place > 0);
    expect(places.slice(0, keys.length).toSorted(), String(name)).toEqual(keys.toSorted());
  }
});

test('what a file of version 5 knows of alerts that fired is told', async () => {
  const path = join(temporaryFolder(), 'sidelight.db');
  copyFileSync(fixture(5), path);
  const labels = { alertname: 'Slow', service: 'shop' };
  const fires = { rule: 'Slow', labels, annotations: {}, firedAt: START, value: 2, threshold: 1, requests: 9 };
  const others = Array.from({ length: 2500 }, (_, index) => ({ ...fires, at: START + index, firedAt: START + index }));
  const database = new Database(path);
  const add = database.prepare('INSERT INTO alert_events (at, data) VALUES (?, ?)');
  for (const event of others) add.run(event.at, JSON.stringify({ ...event, phase: 'firing' }));
  add.run(START + 5000, JSON.stringify({ ...fires, at: START + 5000, phase: 'resolved', value: 0 }));
  database.close();
  const store = await SqliteStore.open(storeOptions(path));
  onTestFinished(() => store.close());
  const firings = await store.alertFirings({ from: START, to: START + 9000, most: 9999 });
  expect(firings).toHaveLength(2500);
  expect(firings.at(-1)).toEqual({ ...fires, endedAt: START + 5000 });
});
