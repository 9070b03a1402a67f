/** The configuration read again while everything runs, on servers that stand in for Envoys. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StatusAnswer, TargetsAnswer } from '../../server/api/contract.ts';
import { startCollector } from '../../server/collector.ts';
import { withoutSecretValues } from '../../server/collector-reload.ts';
import { loadConfig } from '../../server/config/load.ts';
import { eventually } from '../scrape/eventually.ts';
import { type FakeAdmin, healthy, startFakeAdmin } from '../scrape/fake-admin.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

async function admin(): Promise<FakeAdmin> {
  const fake = await startFakeAdmin(healthy);
  onTestFinished(() => fake.stop());
  return fake;
}

/** A collector on a file that the test writes anew. */
async function running(first: string) {
  const folder = temporaryFolder();
  const file = join(folder, 'sidelight.yaml');
  const rest = `web: { listen: "127.0.0.1:0" }\nstorage: { path: "${join(folder, 'sidelight.db')}" }\n`;
  const write = (text: string, tail = rest) => writeFileSync(file, `${text}\n${tail}`);
  write(first);
  const loaded = loadConfig(file);
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const log = pino({ level: 'silent' }, { write: () => {} });
  const collector = await startCollector(loaded.config, log, (config) => loadConfig(file, {}, config));
  onTestFinished(() => collector.stop());
  const ask = async <Answer>(path: string): Promise<Answer> => (await fetch(`${collector.url}${path}`)).json();
  return {
    file,
    folder,
    rest,
    write,
    log,
    url: collector.url,
    reload: () => fetch(`${collector.url}/-/reload`, { method: 'POST' }),
    status: () => ask<StatusAnswer>('/api/v1/status'),
    targets: () => ask<TargetsAnswer>('/api/v1/targets'),
    metrics: async () => (await fetch(`${collector.url}/metrics`)).text(),
  };
}

/** A scrape that times out breaks its connection, so none may, however busy the machine is. */
const SCRAPE = 'scrape: { interval: 2s, timeout: 2s }';
const listing = (...targets: string[]) => `${SCRAPE}\ndiscovery: { static: [${targets.join(', ')}] }`;
const group = (admin: FakeAdmin, labels = '') => `{ targets: ["${admin.text}"], labels: {${labels}} }`;

test('unchanged targets are not even disconnected; others come and go at once, history and counters stay', async () => {
  const [stays, goes, comes] = [await admin(), await admin(), await admin()];
  const collector = await running(listing(group(stays), group(goes)));
  await eventually(async () => (await collector.targets()).counts.up).toBe(2);
  const connections = stays.connections();
  collector.write(
    `${listing(group(stays, 'region: eu'), group(comes))}\nexporter: { level: service }\nlog: { level: debug }`,
  );
  const answer = await collector.reload();
  expect([answer.status, await answer.text()]).toEqual([200, 'The configuration was reloaded.\n']);
  const { targets } = await collector.targets();
  expect(targets.map(({ labels }) => labels.address).sort()).toEqual([stays.text, comes.text].sort());
  expect(targets.find(({ labels }) => labels.address === stays.text)?.lastScrape).toBeGreaterThan(0);
  expect(await collector.metrics()).not.toContain(goes.text);
  expect(collector.log.level).toBe('debug');
  await eventually(
    async () => (await collector.targets()).targets.find(({ labels }) => labels.region === 'eu')?.health,
  ).toBe('up');
  await eventually(() => comes.asked.length).toBeGreaterThan(2);
  expect([stays.connections(), connections]).toEqual([1, 1]);
});

test('scrape options count without a new connection', async () => {
  const fake = await admin();
  const collector = await running(`scrape: { interval: 1h, timeout: 2s }\ndiscovery: { static: [${group(fake)}] }`);
  await eventually(() => fake.asked.length).toBeGreaterThan(2);
  collector.write(listing(group(fake)));
  const before = fake.asked.length;
  expect((await collector.reload()).status).toBe(200);
  await eventually(() => fake.asked.length).toBeGreaterThan(before);
  expect(fake.connections()).toBe(1);
  expect((await collector.status()).scrape.intervalMs).toBe(2000);
});

describe('a bad file changes nothing and says why', () => {
  test.each<[name: string, text: string, error: string]>([
    ['no YAML', 'scrape: [', '1'],
    ['an unknown key', 'scrap: { interval: 5s }', '1: scrap: unknown key; did you mean `scrape`?'],
    [
      'a bad rule',
      'discovery:\n  relabel:\n    - { action: keep, regex: "(" }',
      '3: discovery.relabel[0].regex: "(" is not an RE2 pattern',
    ],
    [
      'another address',
      'web: { listen: "127.0.0.1:1" }\n#',
      'web.listen: cannot change from 127.0.0.1:0 to 127.0.0.1:1 while Sidelight runs',
    ],
  ])('%s', async (_, text, error) => {
    const fake = await admin();
    const collector = await running(listing(group(fake)));
    await eventually(async () => (await collector.targets()).counts.up).toBe(1);
    collector.write(text, text.startsWith('web') ? collector.rest.split('\n').slice(1).join('\n') : collector.rest);
    const answer = await collector.reload();
    const body = (await answer.json()) as { error: { code: string; message: string } };
    expect([answer.status, body.error.code]).toEqual([400, 'bad_config']);
    expect(body.error.message).toContain(`${collector.file}:`);
    expect(body.error.message).toContain(error);
    const { reload, config } = await collector.status();
    expect(reload.errors).toEqual(body.error.message.split('\n'));
    expect(reload.at).toBeGreaterThan(reload.goodAt);
    expect(config).toMatchObject({ scrape: { intervalMs: 2000 } });
    expect((await collector.targets()).total).toBe(1);
    expect(await collector.metrics()).toMatch(/^sidelight_config_last_reload_successful 0$/m);
    collector.write(listing(group(fake)));
    expect((await collector.reload()).status).toBe(200);
    const metrics = await collector.metrics();
    expect(metrics).toMatch(/^sidelight_config_last_reload_successful 1$/m);
    expect(metrics).toMatch(/^sidelight_config_last_reload_success_timestamp_seconds 1\.?\d+/m);
    expect(fake.connections()).toBe(1);
  });

  test('storage.path, too', async () => {
    const collector = await running(SCRAPE);
    collector.write('', collector.rest.replace('sidelight.db', 'other.db'));
    expect(await (await collector.reload()).text()).toContain('storage.path: cannot change from');
  });
});

test('a mechanism that fails is told in the status and the metrics', async () => {
  const collector = await running(`${SCRAPE}\ndiscovery: { file: [{ files: ["missing.json"] }] }`);
  await eventually(async () => (await collector.targets()).discovery).toEqual([
    { name: 'discovery.file[0]', error: expect.stringContaining('no such file yet'), answered: true },
  ]);
  expect(await collector.metrics()).toMatch(/^sidelight_discovery_failing\{entry="discovery.file\[0\]"\} 1$/m);
  const fake = await admin();
  writeFileSync(join(collector.folder, 'missing.json'), JSON.stringify([{ targets: [fake.text], labels: {} }]));
  await eventually(async () => (await collector.targets()).counts.up).toBe(1);
  expect((await collector.status()).discovery).toEqual([{ name: 'discovery.file[0]', error: '', answered: true }]);
});

test('pages of other sites can not reload', async () => {
  const collector = await running(SCRAPE);
  const headers = { 'sec-fetch-site': 'cross-site' };
  const answer = await fetch(`${collector.url}/-/reload`, { method: 'POST', headers });
  expect(answer.status).toBe(403);
  const read = await fetch(`${collector.url}/-/reload`);
  expect([read.status, read.headers.get('allow')]).toEqual([405, 'POST']);
  expect((await collector.status()).reload.errors).toEqual([]);
});

test('secrets are not shown', () => {
  const config = {
    scrape: { auth: { username: 'a', password: 'b' } },
    discovery: { http: [{ url: 'http://sd/targets?token=c', sourceAuth: { bearerToken: 'd' } }] },
  };
  expect(withoutSecretValues(config)).toEqual({
    scrape: { auth: { username: 'a', password: '[hidden]' } },
    discovery: { http: [{ url: 'http://sd/targets?[hidden]', sourceAuth: { bearerToken: '[hidden]' } }] },
  });
});
