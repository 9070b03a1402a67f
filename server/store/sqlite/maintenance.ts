/** What `sidelight db` does with a file: check it, make it small, copy it. Synchronous. */

import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { readBlock } from '../blocks.ts';
import { StoreError, TIERS } from '../store.ts';
import { explaining } from './explained.ts';
import { LogIndex } from './log-index.ts';
import { entryId } from './log-row.ts';
import { APPLICATION_ID, blockTable, SCHEMA_VERSION } from './schema.ts';
import { lockForWriting } from './writer-lock.ts';

/** Takes one line about how far it has got. */
export type Progress = (line: string) => void;

/** Most problems that are told of one thing; a damaged file has thousands. */
const MOST_TOLD = 10;

/** Rules that hold between the rows of a whole file; each query gives what breaks one. */
const INVARIANTS: readonly (readonly [rule: string, sql: string])[] = [
  [
    'no service is further than the log',
    `SELECT service FROM progress WHERE closed >= ${entryId(1, 0)} * (SELECT 1 + coalesce(max(id), 0) FROM log)`,
  ],
  [
    'runs of coverage lie apart',
    'SELECT unit, t0 FROM (SELECT unit, t0, t1, lag(t1) OVER (PARTITION BY unit ORDER BY t0) AS before FROM coverage) WHERE t0 <= before OR t1 <= t0',
  ],
  ...TIERS.map(
    (tier) =>
      [
        `every block of ${tier} has a unit and a length`,
        `SELECT id FROM ${blockTable(tier)} WHERE t1 <= t0 OR unit NOT IN (SELECT id FROM units)`,
      ] as const,
  ),
  ...TIERS.map(
    (tier, index) =>
      [
        `what is to be rolled up from ${tier} is there`,
        `SELECT block FROM pending WHERE tier = ${index} AND block NOT IN (SELECT id FROM ${blockTable(tier)})`,
      ] as const,
  ),
];

/** What is wrong with a file, one line each; none when it is whole. @throws StoreError when it is no file of ours. */
export function checkFile(path: string, progress: Progress): string[] {
  return explaining(path, () => {
    const database = openForReading(path);
    try {
      const damage = checkPages(database, progress);
      return damage.length > 0
        ? damage
        : [...checkRules(database, progress), ...checkLog(database, progress), ...checkBlocks(database, progress)];
    } finally {
      database.close();
    }
  });
}

function checkPages(database: Database.Database, progress: Progress): string[] {
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .pluck()
    .all() as string[];
  const problems = tables.flatMap((table, index) => {
    progress(`pages and indexes: table ${index + 1} of ${tables.length}`);
    return problemsOf(
      () => database.pragma(`integrity_check(${JSON.stringify(table)})`) as { integrity_check: string }[],
    )
      .filter((line) => line !== 'ok')
      .map((line) => `table ${table}: ${line}`);
  });
  return problems.slice(0, MOST_TOLD);
}

function problemsOf(check: () => readonly { integrity_check: string }[]): string[] {
  try {
    return check().map((row) => row.integrity_check);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function checkRules(database: Database.Database, progress: Progress): string[] {
  return INVARIANTS.flatMap(([rule, sql], index) => {
    progress(`rules: ${index + 1} of ${INVARIANTS.length}`);
    const broken = database.prepare(`SELECT * FROM (${sql}) LIMIT ${MOST_TOLD}`).raw().all();
    return broken.length > 0 ? [`broken: ${rule} (${broken.map(String).join('; ')})`] : [];
  });
}

/** Each row can be unpacked, and what is in it is of a unit that is known. */
function checkLog(database: Database.Database, progress: Progress): string[] {
  progress('the log');
  const units = new Set(database.prepare('SELECT id FROM units').pluck().all());
  const index = new LogIndex(database);
  index.refresh();
  const problems: string[] = [];
  for (const unit of index.units())
    if (!units.has(unit)) problems.push(`broken: every unit of the log is known (${unit})`);
  const data = database.prepare('SELECT data FROM log WHERE id = ?').pluck();
  for (const row of index.all) {
    const problem = row.problemOf(data.get(row.id) as Uint8Array);
    if (problem !== undefined) problems.push(`row ${row.id} of the log: ${problem}`);
    if (problems.length >= MOST_TOLD) break;
  }
  return problems.slice(0, MOST_TOLD);
}

function checkBlocks(database: Database.Database, progress: Progress): string[] {
  const problems: string[] = [];
  for (const tier of TIERS) {
    const table = blockTable(tier);
    const total = Number(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
    const blocks = database.prepare(`SELECT id, data FROM ${table} ORDER BY id`);
    let read = 0;
    for (const row of blocks.iterate()) {
      const { id, data } = row as { id: number; data: Uint8Array };
      if (++read % 1000 === 0 || read === total) progress(`blocks of ${tier}: ${read} of ${total}`);
      const problem = blockProblem(data);
      if (problem !== undefined) problems.push(`block ${id} of ${tier}: ${problem}`);
      if (problems.length >= MOST_TOLD) return problems;
    }
  }
  return problems;
}

/** A block says itself, by its checksums and lengths, whether it is whole; no count is negative or broken. */
function blockProblem(data: Uint8Array): string | undefined {
  let problem: string | undefined;
  const check = (values: Float64Array) => {
    if (!values.every((value) => Number.isSafeInteger(value) && value >= 0)) problem = 'a count is not a whole number';
  };
  try {
    readBlock(data, { series: () => true, number: (_, values) => check(values), bin: (_, counts) => check(counts) });
    return problem;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Writes the file anew without its free pages. @returns its sizes before and after, in bytes.
 * @throws StoreError while a collector writes to it.
 */
export function compactFile(path: string): { before: number; after: number } {
  return explaining(path, () => {
    openForReading(path).close();
    const lock = lockForWriting(path);
    const fresh = `${path}-compact`;
    try {
      rmSync(fresh, { force: true });
      const before = truncatedSize(path);
      copyTo(path, fresh);
      syncFile(fresh);
      renameSync(fresh, path);
      for (const rest of ['-wal', '-shm']) rmSync(path + rest, { force: true });
      syncFile(dirname(path));
      return { before, after: statSync(path).size };
    } finally {
      rmSync(fresh, { force: true });
      lock.release();
    }
  });
}

/** Size once everything is in the file itself. */
function truncatedSize(path: string): number {
  const database = new Database(path, { timeout: 5000 });
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  return statSync(path).size;
}

function syncFile(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}

/** A consistent copy of a file, while a collector writes to it or not. @throws StoreError when `output` is there. */
export function copyFile(path: string, output: string): void {
  explaining(path, () => openForReading(path).close());
  if (existsSync(output)) throw new StoreError(`${output}: there is a file already: choose another --output`);
  explaining(output, () => copyTo(path, output));
}

function copyTo(path: string, output: string): void {
  const database = new Database(path, { readonly: true, timeout: 5000 });
  try {
    database.prepare('VACUUM INTO ?').run(output);
  } finally {
    database.close();
  }
  const copy = new Database(output);
  copy.pragma('journal_mode = WAL');
  copy.close();
}

/** @throws StoreError when there is no file, or it is not one of this version. */
export function openForReading(path: string): Database.Database {
  if (!existsSync(path))
    throw new StoreError(`storage.path ${path}: there is no such file: name it with --storage.path`);
  if (statSync(path).isDirectory()) throw new StoreError(`storage.path ${path}: this is a folder: name a file in it`);
  const database = new Database(path, { readonly: true, timeout: 5000 });
  const problem = explaining(path, () => notOurs(database));
  if (problem === undefined) return database;
  database.close();
  throw new StoreError(`storage.path ${path}: ${problem}`);
}

function notOurs(database: Database.Database): string | undefined {
  const number = (name: string) => Number(database.pragma(name, { simple: true }));
  if (number('application_id') !== APPLICATION_ID) return 'the file is no database of Sidelight: name another one';
  const version = number('user_version');
  if (version === SCHEMA_VERSION) return undefined;
  const age = version > SCHEMA_VERSION ? 'a newer' : 'an older';
  const remedy = version > SCHEMA_VERSION ? 'run that version' : 'start sidelight serve on it once';
  return `the file was written by ${age} Sidelight (schema ${version}, this one knows ${SCHEMA_VERSION}): ${remedy}`;
}
