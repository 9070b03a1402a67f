/** `sidelight db`: looks after the file of the store. */

import type { Config } from '../config/config.ts';
import type { ConfigFlags } from '../config/flags.ts';
import { loadConfig } from '../config/load.ts';
import { parseDuration } from '../model/duration.ts';
import { MEMORY_PATH } from '../store/memory-store.ts';
import { checkFile, compactFile, copyFile } from '../store/sqlite/maintenance.ts';
import { readFile } from '../store/sqlite/read-file.ts';
import type { SeriesLabel } from '../store/store.ts';
import { csvLine, EXPORT_LABELS, exportColumns, exportRows } from './export-rows.ts';
import { PlainError } from './plain-error.ts';
import type { Terminal } from './terminal.ts';

export interface DbCommand {
  readonly file: string | undefined;
  readonly flags: ConfigFlags;
  readonly terminal: Terminal;
}

/** @throws PlainError when the configuration is wrong, or names no file. */
export function configOf({ file, flags }: Pick<DbCommand, 'file' | 'flags'>): Config {
  const loaded = loadConfig(file, flags);
  if ('errors' in loaded) throw new PlainError(loaded.errors.join('\n'));
  if (loaded.config.storage.path === MEMORY_PATH)
    throw new PlainError(`storage.path is ${MEMORY_PATH}: there is no file; name one with --storage.path`);
  return loaded.config;
}

/** Gives the exit code: 1 when something is wrong with the file. */
export function dbCheck(command: DbCommand): number {
  const { path } = configOf(command).storage;
  let told = 0;
  const problems = checkFile(path, (line) => {
    if (Date.now() - told < 1000) return;
    told = Date.now();
    command.terminal.err(line);
  });
  for (const problem of problems) command.terminal.out(problem);
  if (problems.length === 0) command.terminal.out(`${path} is whole`);
  else command.terminal.err(`${path} is damaged: restore a copy, or move it away to begin anew`);
  return problems.length === 0 ? 0 : 1;
}

export function dbCompact(command: DbCommand): number {
  const { path } = configOf(command).storage;
  const { before, after } = compactFile(path);
  command.terminal.out(`${path}: ${megabytes(before)} before, ${megabytes(after)} now`);
  return 0;
}

const megabytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

export interface DbExport extends DbCommand {
  /** A file for a copy; without it rows are printed. */
  readonly output: string | undefined;
  readonly format: 'csv' | 'jsonl';
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly step: string;
  readonly by: string | undefined;
}

/** Either a copy of the file, or its figures on standard output. */
export async function dbExport(command: DbExport, write: (text: string) => Promise<void>): Promise<number> {
  const { storage, scrape } = configOf(command);
  if (command.output !== undefined) {
    copyFile(storage.path, command.output);
    command.terminal.out(`${command.output} is a copy of ${storage.path}`);
    return 0;
  }
  const by = labelsOf(command.by);
  const file = readFile({ ...storage, maxBytes: storage.maxSizeBytes, intervalMs: scrape.intervalMs });
  try {
    const from = timeOf('--from', command.from) ?? file.status().oldest ?? 0;
    const to = timeOf('--to', command.to) ?? Date.now() + HOUR_MS;
    const options = { from, to: from === 0 ? 0 : to, stepMs: stepOf(command.step), by };
    const columns = exportColumns(by);
    if (command.format === 'csv') await write(`${csvLine(columns)}\n`);
    for (const row of exportRows((query) => file.sums(query), options))
      await write(
        command.format === 'csv' ? `${csvLine(columns.map((name) => row[name]))}\n` : `${JSON.stringify(row)}\n`,
      );
    return 0;
  } finally {
    file.close();
  }
}

/** Ahead of now a clock that was set back may have written. */
const HOUR_MS = 3_600_000;

function labelsOf(text: string | undefined): readonly SeriesLabel[] {
  if (text === undefined) return EXPORT_LABELS;
  return text.split(',').flatMap((word) => {
    if (word === '') return [];
    const label = EXPORT_LABELS.find((known) => known === word);
    if (!label) throw new PlainError(`--by=${word}: no such label; one of ${EXPORT_LABELS.join(', ')}`);
    return [label];
  });
}

function timeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = /^\d{1,16}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isFinite(time)) return time;
  throw new PlainError(`${flag}=${text}: not a time; write Unix milliseconds, or 2026-11-21T10:00:00Z`);
}

function stepOf(text: string): number {
  const step = parseDuration(text);
  if (step !== undefined && step >= 1000) return step;
  throw new PlainError(`--step=${text}: not a duration of at least 1s; write 1m, 10m or 1h`);
}
