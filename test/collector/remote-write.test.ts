/** Receivers of remote write that come, change, go, fail and fill their queues, on a collector that runs. */

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { RemoteWriteStatus, StatusAnswer } from '../../server/api/contract.ts';
import { startCollector } from '../../server/collector.ts';
import { loadConfig } from '../../server/config/load.ts';
import { type FakeFaults, startFakeFaults } from '../e2e/fake-faults.ts';
import { eventually } from '../scrape/eventually.ts';
import { healthy, startFakeAdmin } from '../scrape/fake-admin.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

async function receiver(): Promise<FakeFaults> {
  const fake = await startFakeFaults();
  onTestFinished(() => fake.stop());
  return fake;
}

/** A collector of one target, on a file that the test writes anew. */
async function running(receivers: readonly object[], path = 'sidelight.db') {
  const folder = temporaryFolder();
  const file = join(folder, 'sidelight.yaml');
  const admin = await startFakeAdmin(healthy);
  onTestFinished(() => admin.stop());
  const storage = { path: path === ':memory:' ? path : join(folder, path) };
  const write = (remote_write: readonly object[]) =>
    writeFileSync(
      file,
      JSON.stringify({
        web: { listen: '127.0.0.1:0' },
        scrape: { interval: '1s', timeout: '1s' },
        storage,
        discovery: { static: [{ targets: [admin.text] }] },
        remote_write,
      }),
    );
  write(receivers);
  const lines: string[] = [];
  const start = async () => {
    const loaded = loadConfig(file);
    if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
    return startCollector(loaded.config, log, (config) => loadConfig(file, {}, config));
  };
  let collector = await start();
  onTestFinished(() => collector.stop());
  const get = async (at: string) => fetch(`${collector.url}${at}`);
  return {
    lines,
    queues: join(folder, `${path}.remote-write`),
    stop: () => collector.stop(),
    async start() {
      collector = await start();
    },
    write,
    async reload(remote_write: readonly object[]) {
      write(remote_write);
      expect(collector.reload()).toEqual([]);
    },
    text: async (at: string) => (await get(at)).text(),
    status: async (): Promise<RemoteWriteStatus[]> =>
      ((await (await get('/api/v1/status')).json()) as StatusAnswer).remoteWrite,
  };
}

const keysOf = ({ sent }: FakeFaults) =>
  new Set(
    sent.flatMap(({ series }) => series.flatMap(({ labels }) => labels.map(([name, value]) => `${name}=${value}`))),
  );

test('receivers come and go at a reload; what waited for one that goes is removed', async () => {
  const [stays, goes, comes] = [await receiver(), await receiver(), await receiver()];
  goes.set({ status: 500 });
  const collector = await running([
    { url: stays.url, name: 'stays' },
    { url: `${goes.url}?token=secret`, name: 'goes', headers: { 'X-Key': 'secret' } },
  ]);
  await eventually(() => stays.sent.length).toBeGreaterThan(1);
  await eventually(() => goes.sent.length).toBeGreaterThan(1);
  await eventually(async () => (await collector.status()).map(({ name, state }) => `${name} ${state}`)).toEqual([
    'stays ok',
    'goes failing',
  ]);
  expect(readdirSync(collector.queues).sort()).toEqual(['goes', 'stays']);
  expect(await collector.text('/metrics')).toMatch(
    /^sidelight_remote_write_requests_total\{receiver="goes",result="failed"\} [1-9]/m,
  );
  expect(
    `${await collector.text('/metrics')}${await collector.text('/api/v1/status')}${collector.lines}`,
  ).not.toContain('secret');
  await collector.reload([
    { url: stays.url, name: 'stays', external_labels: { cluster: 'new' } },
    { url: comes.url, name: 'comes', drop: [{ metric: 'sidelight_.*|nodejs_.*|process_.*' }] },
  ]);
  await eventually(() => comes.sent.length).toBeGreaterThan(1);
  await eventually(() => keysOf(stays).has('cluster=new')).toBe(true);
  expect(keysOf(comes).has('__name__=mesh_requests_total')).toBe(true);
  expect([...keysOf(comes)].filter((key) => key.startsWith('__name__=sidelight'))).toEqual([]);
  expect(readdirSync(collector.queues).sort()).toEqual(['comes', 'stays']);
  expect(collector.lines.join('')).toContain('remote write to goes has ended, and its queue is removed');
});

test('series whose labels change end under the old ones', async () => {
  const fake = await receiver();
  const collector = await running([{ url: fake.url, name: 'a' }]);
  await eventually(() => keysOf(fake).has('__name__=mesh_sidecar_up')).toBe(true);
  await collector.reload([{ url: fake.url, name: 'a', external_labels: { cluster: 'new' } }]);
  const ended = () =>
    fake.sent.flatMap(({ series }) =>
      series.filter(({ labels, value }) => value === 'stale' && labels.some(([, text]) => text === 'mesh_sidecar_up')),
    );
  await eventually(() => ended().length).toBe(1);
  expect(ended()[0]?.labels.map(([name]) => name)).not.toContain('cluster');
});

test('what waits is sent after a restart; queues of others are removed then', async () => {
  const [stays, goes] = [await receiver(), await receiver()];
  stays.set({ status: 503 });
  const collector = await running([
    { url: stays.url, name: 'stays' },
    { url: goes.url, name: 'goes' },
  ]);
  await eventually(async () => (await collector.status())[0]?.rounds).toBeGreaterThan(1);
  await eventually(() => stays.sent.length).toBeGreaterThan(1);
  await collector.stop();
  const failed = stays.sent.length;
  stays.set('pass');
  collector.write([{ url: stays.url, name: 'stays' }]);
  await collector.start();
  const times = (requests: FakeFaults['sent']) => new Set(requests.flatMap(({ series }) => series.map(({ at }) => at)));
  const tried = times(stays.sent.slice(0, failed));
  const missing = (sent: Set<number>) => [...tried].filter((at) => !sent.has(at));
  await eventually(() => missing(times(stays.sent.slice(failed)))).toEqual([]);
  expect(tried.size).toBeGreaterThan(0);
  await eventually(() => readdirSync(collector.queues)).toEqual(['stays']);
});

test('in memory, nothing is written, and what is lost at the end is told', async () => {
  const fake = await receiver();
  fake.set({ status: 503 });
  const collector = await running([{ url: fake.url, name: 'a' }], ':memory:');
  await eventually(async () => (await collector.status())[0]?.samplesPending).toBeGreaterThan(0);
  await collector.stop();
  expect(existsSync(collector.queues)).toBe(false);
  expect(collector.lines.join('')).toMatch(/remote write to a: \d+ samples were in memory only and are lost/);
});
