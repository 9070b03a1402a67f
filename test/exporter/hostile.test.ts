/** Names that are made to break /metrics, over HTTP, as a real parser reads them. */

import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chooseMediaType } from '../../server/exporter/accept.ts';
import { renderMetrics } from '../../server/exporter/render.ts';
import { type RunningApi, startApi } from '../api/running-api.ts';
import { liveWith } from '../live/live-targets.ts';
import { goodScrape } from '../store/records.ts';
import { decodedFamilies } from './decoded-families.ts';

const NAMES: readonly string[] = [
  'a "quoted" name',
  'back\\slash\\',
  'two\nlines\n# EOF\nmesh_requests_total{service="forged"} 1',
  'return\rline separator\u2028',
  '"} 1\nup 0',
  Buffer.from([0x66, 0xff, 0xfe, 0x80]).toString('utf8'),
  'half a \ud83d character',
  '\u0000\u0007\u001b[31m',
  '{{ .labels.service }}',
  'x'.repeat(10_000),
  `${'x'.repeat(10_000)}y`,
];

const live = liveWith(
  NAMES.map((service, i) =>
    goodScrape({
      target: `10.0.0.${i}:9901`,
      from: 0,
      to: 1000,
      identity: { service, namespace: service, region: service, zone: service, instance: `${service} ${i}` },
      flows: [
        { counters: { '2xx': i + 1 }, latency: { 5: i + 1 } },
        { direction: 'outbound', peer: service, counters: { '2xx': 1 } },
      ],
    }),
  ),
);

let api: RunningApi;

beforeAll(async () => {
  api = await startApi(undefined, {
    async metrics(accept) {
      const { contentType, format } = chooseMediaType(accept);
      const options = { level: 'instance', buckets: [0.1], seriesLimit: 1e6, filter: () => true, now: 0 } as const;
      return { contentType, pieces: renderMetrics({ ...options, targets: live.all(), own: [], format }) };
    },
  });
});

afterAll(() => api.stop());

async function asked(accept: string): Promise<Buffer> {
  const response = await fetch(`${api.url}/metrics`, { headers: { accept } });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

test('promtool reads all of it, and no name forges a series', async () => {
  const text = await asked('text/plain');
  const { status, stderr, error } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (error) throw new Error(`promtool does not run (${error.message}): apt-get install prometheus`);
  expect([status, stderr]).toEqual([0, '']);
  const lines = text.toString('utf8').split('\n');
  expect(
    lines.filter((line) => /^mesh_requests_total\{.*direction="inbound".*code_class="2xx"\} \d+$/s.test(line)),
  ).toHaveLength(NAMES.length);
  expect(lines.filter((line) => /^(up|# EOF|mesh_requests_total\{service="forged")/.test(line))).toEqual([]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(6 * 512 * 2);
});

test('names that are too long stay apart', async () => {
  const text = (await asked('text/plain')).toString('utf8');
  const long = text.match(/^mesh_sidecar_up\{service="x{100,}[^"]*"/gm) ?? [];
  expect([long.length, new Set(long).size]).toEqual([2, 2]);
});

test('OpenMetrics ends once, and is one text of UTF-8', async () => {
  const bytes = await asked('application/openmetrics-text; version=1.0.0');
  expect(Buffer.from(bytes.toString('utf8')).equals(bytes)).toBe(true);
  expect(bytes.toString('utf8').match(/^# EOF$/gm)).toHaveLength(1);
});

test('protobuf has every name, as it is or cut', async () => {
  const bytes = await asked(
    'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
  );
  const up = decodedFamilies(bytes).find(({ name }) => name === 'mesh_sidecar_up') as {
    metric: { label: { name: string; value: string }[] }[];
  };
  const told = up.metric.map(({ label }) => label.find(({ name }) => name === 'service')?.value ?? '');
  const whole = NAMES.filter((name) => name.length <= 512).map((name) => name.toWellFormed());
  expect(told.slice(0, whole.length)).toEqual(whole);
  expect(told.slice(whole.length).map((name) => name.length)).toEqual([512, 512]);
});

test('a hundred at once all get the same', async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, () => asked('text/plain')));
  const [first] = answers;
  expect(first?.length).toBeGreaterThan(10_000);
  expect(answers.every((answer) => first?.equals(answer))).toBe(true);
});
