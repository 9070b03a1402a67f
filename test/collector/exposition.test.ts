/** What the keys of `exporter` make of /metrics, over HTTP. */

import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startCollector } from '../../server/collector.ts';
import { loadConfig, parseConfig } from '../../server/config/load.ts';
import { eventually } from '../scrape/eventually.ts';
import { healthy, startFakeAdmin } from '../scrape/fake-admin.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

async function running(exporter: string): Promise<{ metrics(): Promise<Response> }> {
  const admin = await startFakeAdmin(healthy);
  onTestFinished(() => admin.stop());
  const path = join(temporaryFolder(), 'sidelight.db');
  const parsed = parseConfig(
    `{ scrape: { interval: 1s }, discovery: { static: [{ targets: ["${admin.text}"] }] }, storage: { path: "${path}" }, web: { listen: "127.0.0.1:0" }, exporter: ${exporter} }`,
    'conf.yaml',
  );
  if (!('config' in parsed)) throw new Error(JSON.stringify(parsed));
  const collector = await startCollector(parsed.config, pino({ level: 'silent' }), () => loadConfig(undefined));
  onTestFinished(() => collector.stop());
  return { metrics: () => fetch(`${collector.url}/metrics`) };
}

const named = (text: string) => new Set([...text.matchAll(/^(mesh_\w+)/gm)].map(([, name]) => name));

test('more series than there may be: no answer at all, but the reason and what would do', async () => {
  const { metrics } = await running('{ series_limit: 20 }');
  await eventually(async () => (await metrics()).status).toBe(503);
  const { error } = (await (await metrics()).json()) as { error: { code: string; message: string } };
  expect(error.code).toBe('too_large');
  expect(error.message).toMatch(
    /^\/metrics would have \d+ series, more than exporter\.series_limit \(20\): raise it, set exporter\.level to service, or drop some with exporter\.drop$/,
  );
});

test('level, buckets, keep and drop', async () => {
  const { metrics } = await running(
    '{ level: service, buckets: [0.2, 3], keep: [{ metric: "mesh_request.*" }], drop: [{ metric: mesh_request_retries_total }, { labels: { code_class: "[34]xx" } }] }',
  );
  await eventually(async () => (await metrics()).text()).toContain('mesh_requests_total{');
  const text = await (await metrics()).text();
  expect(named(text)).not.toContain('mesh_request_retries_total');
  expect(named(text)).not.toContain('mesh_active_requests');
  const requests = text.match(/^mesh_requests_total\{.*direction="inbound".*$/gm) ?? [];
  expect(requests.map((line) => /code_class="(\w+)"/.exec(line)?.[1])).toEqual(['2xx', '5xx']);
  expect(requests.filter((line) => line.includes('instance='))).toEqual([]);
  const bounds = [...text.matchAll(/^mesh_request_duration_seconds_bucket\{.*direction="inbound".*le="(.*)"\}/gm)];
  expect(bounds.map(([, bound]) => bound)).toEqual(['0.2', '3', '+Inf']);
});
