/** All parts together, on servers that stand in for Envoys. */

import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { ServicesAnswer, StatusAnswer, TargetsAnswer } from '../../server/api/contract.ts';
import { type RunningCollector, startCollector } from '../../server/collector.ts';
import type { Config } from '../../server/config/config.ts';
import { loadConfig } from '../../server/config/load.ts';
import { eventually } from '../scrape/eventually.ts';
import {
  askedFor,
  FAKE_STATS,
  type FakeAdmin,
  type FakeAnswer,
  healthy,
  sendText,
  startFakeAdmin,
} from '../scrape/fake-admin.ts';
import { smallDisk } from '../store/small-disk.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

/** What the first scrape of a growing Envoy finds: its baseline. */
const FIRST_SEEN = 47;

const log = pino({ level: 'silent' });

/** For scrapes that are to be good however busy the machine is. */
const PATIENT_MS = 10_000;

/** Scrapes five times a second. */
function configOf(targets: readonly FakeAdmin[], path: string, timeoutMs = 150): Config {
  const loaded = loadConfig(undefined);
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const { config } = loaded;
  return {
    ...config,
    scrape: { ...config.scrape, intervalMs: 200, timeoutMs },
    discovery: { ...config.discovery, static: [{ targets: targets.map(({ text }) => text), labels: {}, relabel: [] }] },
    storage: { ...config.storage, path },
    web: { ...config.web, host: '127.0.0.1', port: 0 },
  };
}

async function fake(answer: FakeAnswer): Promise<FakeAdmin> {
  const admin = await startFakeAdmin(answer);
  onTestFinished(() => admin.stop());
  return admin;
}

/** An Envoy whose inbound requests grow by 7 with every scrape, until it rests. */
function growing() {
  const state = { requests: 40, resting: false };
  const answer: FakeAnswer = (request, response) => {
    if (askedFor(request) !== 'stats') return healthy(request, response);
    if (!state.resting) state.requests += 7;
    sendText(response, FAKE_STATS.replace('rq_2xx: 40', `rq_2xx: ${state.requests}`));
  };
  return { state, answer };
}

const ask = async <Answer>(collector: RunningCollector, path: string): Promise<Answer> =>
  (await fetch(`${collector.url}/api/v1/${path}`)).json();

async function requestsOf(collector: RunningCollector): Promise<number | null> {
  const { services } = await ask<ServicesAnswer>(collector, 'services?window=1h');
  return services.find(({ service }) => service === 'checkout')?.requests ?? null;
}

test('serves what it scrapes, tells what is wrong with a target, and stops at once while one hangs', async () => {
  const envoy = growing();
  const good = await fake(envoy.answer);
  const hanging = await fake(() => {});
  const path = join(temporaryFolder(), 'sidelight.db');
  const collector = await startCollector(configOf([good, hanging], path), log);
  await eventually(() => requestsOf(collector)).toBeGreaterThan(20);
  await eventually(async () => {
    const { targets } = await ask<TargetsAnswer>(collector, 'targets');
    return targets.map(({ labels, health, lastError }) => [labels.service, health, lastError]);
  }).toEqual([
    [undefined, 'down', expect.stringContaining(`${hanging.text} has not answered within 150 ms`)],
    ['checkout', 'up', ''],
  ]);
  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  expect(metrics).toMatch(/^mesh_requests_total\{service="checkout",.*code_class="2xx"\} \d+$/m);
  expect(metrics).toMatch(/^sidelight_scrapes_total\{result="failed"\} [1-9]/m);
  const events = fetch(`${collector.url}/api/v1/events`).then((response) => response.text());
  await eventually(() => fetch(`${collector.url}/-/ready`).then(({ status }) => status)).toBe(200);
  const stopping = performance.now();
  await collector.stop();
  expect(performance.now() - stopping).toBeLessThan(5000);
  expect(await events.catch(() => 'ended')).toBeTypeOf('string');
});

test('a restart loses and repeats nothing', async () => {
  const envoy = growing();
  const good = await fake(envoy.answer);
  const path = join(temporaryFolder(), 'sidelight.db');
  const first = await startCollector(configOf([good], path, PATIENT_MS), log);
  await eventually(() => requestsOf(first)).toBeGreaterThan(20);
  await first.stop();
  const second = await startCollector(configOf([good], path, PATIENT_MS), log);
  await eventually(() => requestsOf(second)).toBeGreaterThan(60);
  envoy.state.resting = true;
  await eventually(() => requestsOf(second)).toBe(envoy.state.requests - FIRST_SEEN);
  await second.stop();
});

test('while the disk is full everything but history goes on, and afterwards nothing is missing of it', {
  timeout: 120_000,
}, async () => {
  const envoy = growing();
  const good = await fake(envoy.answer);
  const disk = smallDisk();
  const path = join(disk, 'sidelight.db');
  const lines: string[] = [];
  const told = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  const collector = await startCollector(configOf([good], path), told);
  onTestFinished(() => collector.stop());
  await eventually(() => requestsOf(collector)).toBeGreaterThan(20);
  const storage = async () => (await ask<StatusAnswer>(collector, 'status')).storage;
  const metric = async (name: string) => {
    const text = await (await fetch(`${collector.url}/metrics`)).text();
    return Number(new RegExp(`^${name}(?:\\{.*code_class="2xx".*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
  };
  expect(await storage()).toMatchObject({ state: 'ok', message: '', failingSince: null, waiting: 0, lost: 0 });
  expect(await metric('sidelight_store_failing')).toBe(0);

  fillUp(join(disk, 'ballast'));
  await eventually(async () => (await storage()).state).toBe('failing');
  const message = `storage.path ${path}: the disk is full: make room, or choose another storage.path`;
  expect(await storage()).toMatchObject({ message: expect.stringContaining(message), lost: 0 });
  const before = await metric('mesh_requests_total');
  await eventually(() => metric('mesh_requests_total')).toBeGreaterThan(before + 20);
  expect(await metric('sidelight_store_failing')).toBe(1);
  await eventually(() => metric('sidelight_store_waiting_scrapes')).toBeGreaterThan(2);

  rmSync(join(disk, 'ballast'));
  await eventually(async () => (await storage()).state).toBe('ok');
  envoy.state.resting = true;
  await eventually(() => requestsOf(collector)).toBe(envoy.state.requests - FIRST_SEEN);
  const failed = lines.filter((line) => line.includes('can not be stored'));
  expect(failed).toEqual([
    `rounds can not be stored: ${message}. Live figures go on; storing is tried again at every round`,
  ]);
  expect(lines.filter((line) => line.includes('can be stored again'))).toEqual([
    expect.stringMatching(/^rounds can be stored again after \S+: nothing is lost$/),
  ]);
});

/** Takes what is left of a disk. */
function fillUp(file: string): void {
  const ballast = openSync(file, 'w');
  try {
    for (;;) writeSync(ballast, Buffer.alloc(4096));
  } catch {
    closeSync(ballast);
  }
}

test('a store in memory serves like any other', async () => {
  const envoy = growing();
  const good = await fake(envoy.answer);
  const collector = await startCollector(configOf([good], ':memory:'), log);
  onTestFinished(() => collector.stop());
  await eventually(() => requestsOf(collector)).toBeGreaterThan(20);
  const { storage } = await ask<StatusAnswer>(collector, 'status');
  expect(storage).toMatchObject({ path: ':memory:', state: 'ok', lagMs: expect.any(Number) });
});

test('when the port is taken, that is told, and the file is let go', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await eventually(() => other.listening).toBe(true);
  const { port } = other.address() as AddressInfo;
  const path = join(temporaryFolder(), 'sidelight.db');
  const config = configOf([], path);
  await expect(startCollector({ ...config, web: { ...config.web, port } }, log)).rejects.toThrow('EADDRINUSE');
  await (await startCollector(config, log)).stop();
});
