/**
 * Loaded into every thread of a collector before its own code: tells its number in the folder of the environment variable
 * THREAD_FAULTS, and ends as a file there tells it: `exit-NUMBER` at once, `eat-NUMBER` by taking memory until there is
 * none left.
 */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';

const folder = process.env.THREAD_FAULTS;
const LOOK_EVERY_MS = 50;

function look() {
  if (existsSync(join(folder, `exit-${threadId}`))) process.exit(1);
  if (!existsSync(join(folder, `eat-${threadId}`))) return;
  const eaten = [];
  for (;;) eaten.push(Array.from({ length: 1000 }, (_, index) => index + Math.random()));
}

if (!isMainThread && folder !== undefined) {
  writeFileSync(join(folder, `thread-${threadId}`), '');
  setInterval(look, LOOK_EVERY_MS).unref();
}
