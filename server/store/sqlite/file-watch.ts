import { existsSync, rmSync, statSync } from 'node:fs';
import { StoreError } from '../store.ts';

/** Tells when a path has come to stand for another file than the one that was opened, or for none. */
export class FileWatch {
  private readonly path: string;
  private readonly opened: string;

  /** Right after the file was opened. */
  constructor(path: string) {
    this.path = path;
    this.opened = identityOf(path);
  }

  get isGone(): boolean {
    return identityOf(this.path) !== this.opened;
  }

  /** What to tell of it. */
  error(): StoreError {
    return new StoreError(
      `storage.path ${this.path}: the file was deleted or replaced while it was in use: stop Sidelight before you do so; it goes on with what is there now`,
    );
  }
}

/** What is left beside a file that is gone belongs to no other one: SQLite would take it for parts of a new file. */
export function clearRemains(path: string): void {
  if (existsSync(path)) return;
  for (const rest of ['-wal', '-shm']) rmSync(path + rest, { force: true });
}

function identityOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.dev}:${stat.ino}` : '';
}
