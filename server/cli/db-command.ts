import { once } from 'node:events';
import { type Command, Option } from 'commander';
import { addFlag, CONFIG_FILE, readConfigOptions } from './config-options.ts';
import type { DbCommand } from './db.ts';
import type { Terminal } from './terminal.ts';

/** Adds `db check`, `db compact` and `db export`. */
export function addDb(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const db = program.command('db').description('check, compact or export the database');
  const commandOf = (command: Command): DbCommand => ({ ...readConfigOptions(command), terminal });

  const check = withFile(db.command('check').description('check that the file is whole, while it is in use or not'));
  check.action(async () => done((await import('./db.ts')).dbCheck(commandOf(check))));

  const compact = withFile(
    db.command('compact').description('give free space back to the disk; not while it is in use'),
  );
  compact.action(async () => done((await import('./db.ts')).dbCompact(commandOf(compact))));

  const exported = withFile(
    db.command('export').description('print stored figures, or copy the file, while it is in use or not'),
  );
  exported
    .option('--output <file>', 'make a copy of the whole file there instead')
    .addOption(new Option('--format <format>', 'form of the rows').choices(['jsonl', 'csv']).default('jsonl'))
    .option('--from <time>', 'begin, Unix milliseconds or 2026-11-21T10:00:00Z (default: the oldest figure)')
    .option('--to <time>', 'end, not part of it (default: the newest figure)')
    .option('--step <duration>', 'length of a row', '1m')
    .option('--by <labels>', 'labels to tell rows apart by, separated by commas (default: all)')
    .action(async (options: ExportFlags) => {
      const { dbExport } = await import('./db.ts');
      const { output, format, from, to, step, by } = options;
      done(await dbExport({ ...commandOf(exported), output, format, from, to, step, by }, toStandardOutput));
    });
}

interface ExportFlags {
  readonly output?: string;
  readonly format: 'csv' | 'jsonl';
  readonly from?: string;
  readonly to?: string;
  readonly step: string;
  readonly by?: string;
}

function withFile(command: Command): Command {
  return addFlag(command.addOption(CONFIG_FILE), 'storagePath');
}

/** As fast as it is read; a reader that goes away ends the program. */
async function toStandardOutput(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}
