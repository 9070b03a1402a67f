/** A collector that pushes by OTLP: what it sends, tells and leaves out. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { StatusAnswer } from '../../server/api/contract.ts';
import { startCollector } from '../../server/collector.ts';
import type { Config, OtlpConfig } from '../../server/config/config.ts';
import { loadConfig } from '../../server/config/load.ts';
import { answers, fakeReceiver } from '../exporter/otlp/receivers.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

const PATIENT = { timeout: 15_000, interval: 20 };

function configOf(otlp: Partial<OtlpConfig>): Config {
  const loaded = loadConfig(undefined);
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const { config } = loaded;
  return {
    ...config,
    otlp: { ...config.otlp, traces: false, intervalMs: 50, ...otlp },
    storage: { ...config.storage, path: join(temporaryFolder(), 'sidelight.db') },
    web: { ...config.web, host: '127.0.0.1', port: 0 },
  };
}

async function running(config: Config, next: Config = config) {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const collector = await startCollector(config, log, () => ({ config: next }));
  onTestFinished(() => collector.stop());
  const status = async () => (await (await fetch(`${collector.url}/api/v1/status`)).json()) as StatusAnswer;
  const metrics = async () => (await fetch(`${collector.url}/metrics`)).text();
  return { collector, lines, status, metrics };
}

test('its own metrics are pushed, a refusal is told once, and no secret is told', async () => {
  const receiver = await fakeReceiver(answers(403, {}, 'who are you?'));
  const { lines, status, metrics } = await running(
    configOf({ endpoint: receiver.url, headers: { 'x-api-key': 'very secret' } }),
  );
  await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThan(3), PATIENT);
  const [{ path, headers, resources } = { path: '', headers: {}, resources: [] }] = receiver.received;
  expect([path, headers['x-api-key']]).toEqual(['/v1/metrics', 'very secret']);
  expect(resources[0]?.attributes).toMatchObject({ 'service.name': 'sidelight' });
  expect(resources[0]?.metrics.map(({ name }) => name)).toContain('sidelight.build_info');
  const told = await status();
  expect(told.otlp).toMatchObject({
    endpoint: receiver.url,
    protocol: 'http/protobuf',
    acceptedAt: null,
    problem: 'it answered 403: who are you?',
    accepted: 0,
  });
  expect(told.otlp?.dropped).toBeGreaterThan(0);
  expect(await metrics()).toMatch(/^sidelight_otlp_requests_total\{result="refused"\} [1-9]/m);
  expect(lines.filter((line) => line.includes('who are you?'))).toHaveLength(1);
  expect(`${lines.join()}${JSON.stringify(told)}`).not.toContain('very secret');
  receiver.script(answers(200));
  await vi.waitFor(async () => expect((await status()).otlp?.problem).toBe(''), PATIENT);
  expect(lines.filter((line) => line.includes('takes everything again'))).toHaveLength(1);
});

test('the standard variables alone switch it on, and say who the collector is', async () => {
  const receiver = await fakeReceiver();
  for (const [name, value] of Object.entries({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_SERVICE_NAME: 'eyes',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=night%20shift,service.name=other,broken',
  }))
    vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  await running(configOf({}));
  await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThan(0), PATIENT);
  expect(receiver.received[0]?.resources[0]?.attributes).toMatchObject({
    'service.name': 'eyes',
    'deployment.environment.name': 'night shift',
  });
});

test('a receiver that is configured, changed and taken away while it runs', async () => {
  const [first, second] = [await fakeReceiver(), await fakeReceiver()];
  const off = configOf({});
  const steps = [
    { ...off, otlp: { ...off.otlp, endpoint: first.url } },
    { ...off, otlp: { ...off.otlp, endpoint: second.url } },
    off,
  ];
  const log = pino({ level: 'info' }, { write() {} });
  const collector = await startCollector(off, log, () => ({ config: steps.shift() ?? off }));
  onTestFinished(() => collector.stop());
  const status = async () => ((await (await fetch(`${collector.url}/api/v1/status`)).json()) as StatusAnswer).otlp;
  expect(await status()).toBeNull();
  for (const receiver of [first, second]) {
    collector.reload();
    await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThan(1), PATIENT);
  }
  collector.reload();
  await vi.waitFor(async () => expect(await status()).toBeNull(), PATIENT);
});

test('a receiver that hangs holds up neither answers nor the end', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  onTestFinished(() => {
    silent.closeAllConnections();
    silent.close();
  });
  let asked = 0;
  silent.on('request', () => asked++);
  await vi.waitFor(() => expect(silent.listening).toBe(true));
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const { collector, metrics } = await running(configOf({ endpoint, timeoutMs: 60_000 }));
  await vi.waitFor(() => expect(asked).toBe(1), PATIENT);
  expect(await metrics()).toContain('sidelight_build_info');
  const began = Date.now();
  await collector.stop();
  expect(Date.now() - began).toBeLessThan(5000);
  expect(asked).toBe(2);
});
