import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

/** The folder of a real file system of 2 MiB, gone once the test has ended. */
export function smallDisk(): string {
  const folder = join(temporaryFolder(), 'disk');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(`a small disk can not be mounted; run as root, or under "unshare -rm": ${String(error)}`);
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}
