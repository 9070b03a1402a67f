/** `sidelight db`, as a user runs it, on files of a store that is in use or not. */

import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { SCHEMA_VERSION } from '../../server/store/sqlite/schema.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { crashOptions, INTERVAL_MS, roundOf, START } from '../crash/mesh.ts';
import { total } from '../e2e/exported.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { runSidelight } from './sidelight.ts';

const ROUNDS = 130;
/** Requests per round that the mesh receives, and twice as many that it sends. */
const RECEIVED = 12;
/** Every command is a program of its own, which takes its time to start on a busy machine. */
const timeout = 120_000;

let folder: string;
let path: string;

async function filled(rounds = ROUNDS): Promise<SqliteStore> {
  const store = await SqliteStore.open(crashOptions(path));
  for (let round = 1; round <= rounds; round++) await store.append(roundOf(round));
  while (await store.upkeep(START + rounds * INTERVAL_MS));
  return store;
}

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'sidelight.db');
});

const db = (...args: string[]) => runSidelight(['db', ...args, `--storage.path=${path}`], folder);
const rowsOf = (lines: readonly string[]): Record<string, number | string | null>[] =>
  lines.map((line) => JSON.parse(line));

describe('on a file in use', () => {
  let store: SqliteStore;
  beforeEach(async () => {
    store = await filled();
    onTestFinished(() => store.close());
  });

  test('check, and export in every form', { timeout }, async () => {
    expect(await db('check')).toMatchObject({ code: 0, out: [`${path} is whole`] });

    const rows = rowsOf((await db('export')).out);
    const sums = (direction: string) =>
      total(
        rows.filter((row) => row.direction === direction),
        'requests',
      );
    expect([sums('inbound'), sums('outbound')]).toEqual([ROUNDS * RECEIVED, 2 * ROUNDS * RECEIVED]);
    expect(rows[0]).toMatchObject({
      from_ms: START,
      to_ms: START + 60_000,
      direction: 'inbound',
      service: 'a',
      instance: 'a-0',
      region: 'r0',
      peer: '',
      requests: 6,
      requests_2xx: 6,
      requests_5xx: 0,
      latency_samples: 6,
      p50_ms: 7.5,
    });

    const byService = await db(
      'export',
      '--format=csv',
      '--by=service',
      '--step=1h',
      `--from=${START}`,
      '--to=2023-11-14T23:00:00Z',
    );
    const [head = '', first = ''] = byService.out;
    expect(head).toMatch(
      /^from_ms,to_ms,direction,service,requests,requests_2xx,.*,p50_ms,p95_ms,p99_ms,latency_samples$/,
    );
    expect(first.split(',').slice(0, 5)).toEqual([String(START), String(START + 3_600_000), 'inbound', 'a', '260']);

    const copy = join(folder, 'copy.db');
    expect(await db('export', `--output=${copy}`)).toMatchObject({ code: 0, out: [`${copy} is a copy of ${path}`] });
    const again = await runSidelight(['db', 'export', `--storage.path=${copy}`], folder);
    expect(rowsOf(again.out)).toEqual(rows);
    expect((await db('export', `--output=${copy}`)).err).toEqual([
      `error: ${copy}: there is a file already: choose another --output`,
    ]);
  });

  test('compact has to wait until it is not in use', { timeout }, async () => {
    const { code, err } = await db('compact');
    expect([code, err]).toEqual([
      1,
      [
        `error: storage.path ${path}: another Sidelight is writing to the file: stop it, or choose another storage.path`,
      ],
    ]);
  });
});

test('compact gives free space back, and keeps every figure', { timeout }, async () => {
  await (await filled()).close();
  const database = new Database(path);
  database.exec(`CREATE TABLE ballast (x); INSERT INTO ballast VALUES (zeroblob(20000000)); DROP TABLE ballast`);
  database.close();
  const before = rowsOf((await db('export')).out);
  const size = statSync(path).size;
  const { code, out } = await db('compact');
  expect([code, out[0]]).toEqual([0, expect.stringMatching(/ MiB before, .* MiB now$/)]);
  expect(statSync(path).size).toBeLessThan(size - 15_000_000);
  expect(rowsOf((await db('export')).out)).toEqual(before);
  expect((await db('check')).code).toBe(0);
  const store = await SqliteStore.open(crashOptions(path));
  expect(await store.loadTargets()).toHaveLength(6);
  await store.close();
});

test('check tells what is damaged', { timeout }, async () => {
  await (await filled()).close();
  const whole = readFileSync(path);
  const file = openSync(path, 'r+');
  const behindSchema = Math.ceil(whole.length / 2 / 4096) * 4096;
  for (let at = behindSchema; at < whole.length; at += 8192) writeSync(file, Buffer.alloc(512, 0x5a), 0, 512, at);
  closeSync(file);
  const { code, out, err } = await db('check');
  expect(code).toBe(1);
  expect(out.length).toBeGreaterThan(0);
  expect(err.at(-1)).toBe(`${path} is damaged: restore a copy, or move it away to begin anew`);
});

test('check reads every block', { timeout }, async () => {
  const store = await filled();
  while (await store.upkeep(START + ROUNDS * INTERVAL_MS + 3_000_000));
  await store.close();
  const database = new Database(path);
  database.exec("UPDATE blocks_1m SET data = x'0102' WHERE id = (SELECT min(id) FROM blocks_1m)");
  database.close();
  const { code, out } = await db('check');
  expect([code, out.length]).toEqual([1, 1]);
  expect(out[0]).toMatch(/^block \d+ of 1m: /);
});

test.each<[name: string, make: () => void, message: string]>([
  ['no file', () => {}, 'there is no such file: name it with --storage.path'],
  [
    'another program’s file',
    () => new Database(path).exec('CREATE TABLE a (b)').close(),
    'the file is no database of Sidelight: name another one',
  ],
  [
    'no database',
    () => writeFileSync(path, 'Dear diary, '.repeat(100)),
    'the file is not a SQLite database: choose another storage.path',
  ],
  ['a folder', () => void mkdirSync(path), 'this is a folder: name a file in it'],
  [
    'a file of a newer version',
    () => new Database(path).exec('PRAGMA application_id = 1399090292; PRAGMA user_version = 99').close(),
    `the file was written by a newer Sidelight (schema 99, this one knows ${SCHEMA_VERSION}): run that version`,
  ],
])('%s is refused by every command in one line', { timeout }, async (_, make, message) => {
  make();
  for (const command of ['check', 'compact', 'export'])
    expect(await db(command)).toEqual({ code: 1, out: [], err: [`error: storage.path ${path}: ${message}`] });
});

test.each<[args: string[], message: string]>([
  [
    ['export', '--by=pod'],
    'error: --by=pod: no such label; one of service, namespace, instance, region, zone, peer, peer_namespace, peer_zone',
  ],
  [['export', '--step=fast'], 'error: --step=fast: not a duration of at least 1s; write 1m, 10m or 1h'],
  [['export', '--from=soon'], 'error: --from=soon: not a time; write Unix milliseconds, or 2026-11-21T10:00:00Z'],
])('db %s is refused', { timeout }, async (args, message) => {
  await (await filled(1)).close();
  expect(await db(...args)).toEqual({ code: 1, out: [], err: [message] });
});

test('a store in memory has no file', async () => {
  const { code, err } = await runSidelight(['db', 'check', '--storage.path=:memory:'], folder);
  expect([code, err]).toEqual([1, ['error: storage.path is :memory:: there is no file; name one with --storage.path']]);
});
