/** The API over a generated fleet, in a process of its own: `dashboards-server.ts SERVICES INSTANCES INTERVAL_MS`. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../server/api/app.ts';
import { EventStream } from '../../server/api/events.ts';
import { Live } from '../../server/live/live.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { NO_ALERTS } from '../api/running-api.ts';
import { discovered } from '../live/live-targets.ts';
import { storeOptions } from '../store/options.ts';
import { Fleet } from './store-fleet.ts';
import { drainUpkeep } from './store-history.ts';

const HISTORY_MS = 6 * 60_000;
const PEERS = 3;
const RATE = 10;

const [services = 1000, instances = 2, intervalMs = 10_000] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'sidelight-bench-'));
const store = await SqliteStore.open(storeOptions(join(folder, 'bench.db'), { intervalMs }));
const fleet = new Fleet({ services, instances, peers: PEERS, rate: RATE });
const live = new Live();
live.setTargets(fleet.sidecars.map(({ target }) => discovered(target)));
const end = Math.floor(Date.now() / intervalMs) * intervalMs;
for (let to = end - HISTORY_MS + intervalMs; to <= end; to += intervalMs) {
  const round = fleet.records(to - intervalMs, to);
  await store.append(round);
  live.apply(round);
}
await drainUpkeep(store, end);
let now = end;
const events = new EventStream();
const app = createApp({
  store,
  live,
  events,
  intervalMs: () => intervalMs,
  measuredTo: () => Math.floor(Date.now() / intervalMs) * intervalMs,
  now: () => now,
  discovery: { dropped: () => ({ list: [], total: 0 }), note: () => '', states: () => [] },
  reload: () => [],
  metrics: async () => ({ contentType: 'text/plain', pieces: [''].values() }),
  metricsRefusals: [],
  status: () => Promise.reject(new Error('nobody asks')),
  alerts: NO_ALERTS,
  notReady: () => '',
  webFolder: folder,
  onError: (error) => console.error(error),
});
const server = createServer(app);
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));

/** `next`: a round of scrapes is stored; `cpu`: how much was used so far. */
process.on('message', async (message: 'next' | 'cpu') => {
  if (message === 'cpu') {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMs: (user + system) / 1000 });
  } else {
    const round = fleet.records(now, now + intervalMs);
    await store.append(round);
    live.apply(round);
    now += intervalMs;
    await drainUpkeep(store, now);
    process.send?.({ stored: now });
  }
});
process.on('disconnect', async () => {
  events.close();
  server.closeAllConnections();
  server.close();
  await store.close();
  rmSync(folder, { recursive: true });
});
