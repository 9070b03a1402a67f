/** Program of its own: appends one round after the other to the store that it is given, until it is killed. */

import { parseArgs } from 'node:util';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { storeOptions } from './options.ts';
import { goodScrape } from './records.ts';

const { positionals } = parseArgs({ allowPositionals: true });
const [path = ''] = positionals;
const TARGETS = ['a', 'b', 'c'];

/** Counts one request per target and round, and stores the number of rounds as the targets' totals. */
const store = await SqliteStore.open(storeOptions(path));
const before = await store.loadTargets();
let round = before.length > 0 ? Math.max(...before.map(({ lastScrape }) => lastScrape)) : 0;
for (;;) {
  const from = round++;
  const values = Uint8Array.from([round & 255, (round >> 8) & 255, (round >> 16) & 255]);
  await store.append(
    TARGETS.map((target) =>
      goodScrape({
        target,
        from,
        to: round,
        identity: { service: target },
        flows: [{ counters: { '2xx': 1 }, latency: { 7: 1 } }],
        findings: { totals: { shape: `["shape ${round >> 5}"]`, values } },
      }),
    ),
  );
  console.log(round);
}
