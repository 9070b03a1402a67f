/** Program of its own: appends one round after the other and does upkeep meanwhile, until it is killed; prints rounds. */

import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { crashOptions, INTERVAL_MS, roundOf, START } from './mesh.ts';

const store = await SqliteStore.open(crashOptions(process.argv[2] ?? ''));
const before = await store.loadTargets();
let round = Math.max(0, ...before.map(({ lastScrape }) => (lastScrape - START) / INTERVAL_MS));
const first = round + 1;
let upkeep: Promise<unknown> = Promise.resolve();
for (;;) {
  round++;
  await store.append(roundOf(round, first));
  console.log(round);
  const now = START + round * INTERVAL_MS;
  upkeep = Promise.all([upkeep, store.upkeep(now)]);
}
