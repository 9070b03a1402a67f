import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QueryAnswer } from '../../server/api/contract.ts';
import { BASE, INTERVAL, MIXED, meshOf, NOW, ODD_NAME, OUTBOUND_ONLY } from './meshes.ts';
import { type MeshData, type RunningApi, startApi } from './running-api.ts';

let api: RunningApi;

function on(mesh: MeshData): void {
  beforeAll(async () => {
    api = await startApi(mesh);
  });
  afterAll(() => api.stop());
}

/** Parameters of the whole minute. */
const MINUTE = `from=${BASE}&to=${NOW}`;

const query = (parameters: string) => api.get<QueryAnswer>(`/api/v1/query?${parameters}`);

/** Values by the labels of their series, as `a=1,b=2`. */
async function valuesOf(parameters: string): Promise<Record<string, (number | null)[]>> {
  const { series } = await query(parameters);
  const entries = series.map(({ labels, points }) => [
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    points.map(([, value]) => (value === null ? null : Math.round(value * 1e6) / 1e6)),
  ]);
  expect(new Set(entries.map(([key]) => key)).size, 'series with the same labels').toBe(entries.length);
  return Object.fromEntries(entries);
}

describe('an empty mesh', () => {
  on({ targets: [], records: [] });

  test('has no series', async () => {
    const answer = await query('signal=requests&by=service');
    expect(answer).toEqual({
      signal: 'requests',
      step: INTERVAL,
      from: NOW - 300_000,
      to: NOW,
      measuredTo: NOW,
      offsetMs: 0,
      tiers: expect.any(Array),
      series: [],
      other: [],
    });
  });
});

describe('a mixed mesh', () => {
  on(MIXED);

  test.each<[parameters: string, values: Record<string, (number | null)[]>]>([
    ['signal=requests&step=1m', { '': [198 + 180 + 102 + 6 + 10] }],
    [
      'signal=requests&step=1m&by=service',
      {
        'service=edge': [198],
        'service=shop': [180],
        'service=ledger': [0],
        'service=sleepy': [10],
        'service=cart': [102],
        [`service=${ODD_NAME}`]: [6],
        'service=idle': [0],
      },
    ],
    ['signal=requests&step=10s&service=shop', { '': [30, 30, 30, 30, 30, 30] }],
    ['signal=requests&step=20s&service=shop', { '': [60, 60, 60] }],
    ['signal=requests&step=5s&service=ledger', { '': Array(12).fill(0) }],
    ['signal=requests&step=10s&service=sleepy', { '': [5, 5, null, null, null, null] }],
    ['signal=requests&step=30s&service=shop&by=instance', { 'instance=shop-1': [60, 60], 'instance=shop-2': [30, 30] }],
    [
      'signal=requests&step=1m&service=shop&by=service,region,zone',
      { 'service=shop,region=eu,zone=eu-1': [120], 'service=shop,region=us,zone=us-1': [60] },
    ],
    ['signal=requests&step=1m&by=region&region=eu', { 'region=eu': [198 + 120] }],
    ['signal=requests&step=1m&by=region', { 'region=eu': [198 + 120], 'region=us': [60], '': [10 + 102 + 6] }],
    ['signal=requests&step=1m&by=service,region&service=cart', { 'service=cart': [102] }],
    ['signal=requests&step=1m&by=service&service=cart&region=eu', {}],
    ['signal=requests&step=1m&by=service&instance=cart-1', {}],
    ['signal=requests&step=1m&by=service&instance=shop-1&instance=shop-2', { 'service=shop': [180] }],
    ['signal=requests&step=1m&by=zone&by=service&service=shop&zone=us-1', { 'zone=us-1,service=shop': [60] }],
    [
      'signal=requests&step=1m&service=edge&by=code_class',
      { 'code_class=2xx': [180], 'code_class=3xx': [0], 'code_class=4xx': [12], 'code_class=5xx': [6] },
    ],
    [
      'signal=request_rate&step=30s&service=edge&by=code_class,service',
      {
        'service=edge,code_class=2xx': [3, 3],
        'service=edge,code_class=3xx': [0, 0],
        'service=edge,code_class=4xx': [0.2, 0.2],
        'service=edge,code_class=5xx': [0.1, 0.1],
      },
    ],
    ['signal=request_rate&step=20s&service=sleepy', { '': [0.5, null, null] }],
    ['signal=success_rate&step=1m&service=cart', { '': [0.882353] }],
    ['signal=error_rate&step=1m&service=shop&by=instance', { 'instance=shop-1': [0], 'instance=shop-2': [0.2] }],
    ['signal=success_rate&step=1m&service=ledger', { '': [null] }],
    ['signal=latency_p50&step=1m&service=edge', { '': [5.5] }],
    ['signal=latency_p90&step=1m&service=edge', { '': [5.9] }],
    ['signal=latency_p95&step=1m&service=edge', { '': [5.95] }],
    ['signal=latency_p99&step=1m&service=edge', { '': [5.99] }],
    ['signal=latency_p999&step=1m&service=cart', { '': [4] }],
    ['signal=latency_mean&step=1m&service=shop', { '': [20.5] }],
    ['signal=latency_p99&step=1m&service=ledger', { '': [null] }],
    ['signal=active_requests&step=30s&service=shop', { '': [4, 4] }],
    ['signal=active_requests&step=30s&service=sleepy', { '': [null, null] }],
    ['signal=active_connections&step=1m&service=shop&by=instance', { 'instance=shop-1': [4], 'instance=shop-2': [0] }],
    ['signal=retries&step=1m&service=cart', { '': [6] }],
    ['signal=failures&step=1m&service=cart', { '': [12] }],
    ['signal=bytes_rx&step=1m&service=shop', { '': [100] }],
    ['signal=bytes_tx&step=1m&service=shop', { '': [500] }],
    ['signal=requests&step=1m&direction=inbound&service=edge', { '': [198] }],
    ['signal=requests&step=1m&direction=outbound&service=edge', { '': [198] }],
    ['signal=requests&step=1m&direction=outbound', { '': [198 + 66 + 24] }],
    [
      'signal=requests&step=1m&direction=outbound&by=service,peer',
      {
        'service=edge,peer=shop': [180],
        'service=edge,peer=cart': [18],
        'service=shop,peer=cart': [84],
        [`service=shop,peer=${ODD_NAME}`]: [6],
        'service=shop,peer=idle': [0],
        'service=cart,peer=ledger': [0],
      },
    ],
    [
      'signal=requests&step=1m&direction=outbound&by=peer,region&service=shop&region=us',
      { 'peer=cart,region=us': [24] },
    ],
    [
      'signal=requests&step=1m&by=direction,service&service=edge',
      { 'service=edge,direction=inbound': [198], 'service=edge,direction=outbound': [198] },
    ],
    ['signal=requests&step=1m&by=direction&service=cart', { 'direction=inbound': [102], 'direction=outbound': [0] }],
    [
      'signal=requests&step=1m&direction=outbound&service=shop&by=code_class&instance=shop-1',
      { 'code_class=2xx': [54], 'code_class=3xx': [0], 'code_class=4xx': [0], 'code_class=5xx': [12] },
    ],
    ['signal=requests&step=1m&by=peer&service=shop', { '': [180] }],
    ['signal=requests&step=1m&by=namespace&service=shop', { '': [180] }],
    ['signal=requests&step=1m&by=service&service=nobody', {}],
  ])('%s', async (parameters, values) => {
    expect(await valuesOf(`${parameters}&${MINUTE}`)).toEqual(values);
  });

  test('steps are aligned to multiples of the step, the first one holds from, the last one to', async () => {
    const answer = await query(
      `signal=requests&service=shop&step=10s&from=${BASE + 12_345}&to=${BASE + 2 * INTERVAL + 1}`,
    );
    expect(answer).toMatchObject({ step: INTERVAL, from: BASE + INTERVAL, to: BASE + 3 * INTERVAL });
    expect(answer.series[0]?.points).toEqual([
      [BASE + INTERVAL, 30],
      [BASE + 2 * INTERVAL, 30],
    ]);
  });

  test.each([
    ['7s', 7000],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['1s', 1000],
  ])('steps of %s begin at multiples of it', async (step, ms) => {
    const answer = await query(`signal=requests&service=shop&step=${step}&${MINUTE}`);
    const times = answer.series[0]?.points.map(([t]) => t) ?? [];
    expect(answer.step).toBe(ms);
    expect(times.map((t) => t % ms)).toEqual(times.map(() => 0));
    expect(times[0]).toBeLessThanOrEqual(BASE);
    expect((times[0] ?? 0) + ms).toBeGreaterThan(BASE);
    expect((times.at(-1) ?? 0) + ms).toBeGreaterThanOrEqual(NOW);
    const counts = answer.series[0]?.points.map(([, value]) => value ?? 0) ?? [];
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(180);
  });

  test('an end in the future is possible, and nothing is known of it', async () => {
    const { series } = await query(
      `signal=requests&service=shop&step=20s&from=${BASE + 4 * INTERVAL}&to=${NOW + 60_000}`,
    );
    expect(series[0]?.points.map(([, value]) => value)).toEqual([60, null, null, null]);
  });

  test('a window in the past without data has no series', async () => {
    const { series } = await query(`signal=requests&by=service&step=1m&from=${BASE - 120_000}&to=${BASE}`);
    expect(series).toEqual([]);
  });

  test.each([
    ['window=5m', INTERVAL],
    ['window=20m', INTERVAL],
    ['window=1h', 30_000],
    ['window=1d', 900_000],
    ['window=400d', 86_400_000],
  ])('without a step, %s gets one that is round', async (window, step) => {
    const answer = await query(`signal=requests&service=shop&${window}`);
    expect(answer.step).toBe(step);
    expect(answer.series[0]?.points.length).toBeLessThanOrEqual(401);
  });

  test('the newest step is not empty because the next scrape is to come', async () => {
    const values = await valuesOf(`signal=request_rate&service=shop&step=10s&from=${BASE}&to=${NOW + 1000}`);
    expect(values['']).toEqual([3, 3, 3, 3, 3, 3, null]);
  });
});

describe('a mesh of sidecars that see only what their services send', () => {
  on(OUTBOUND_ONLY);

  test.each<[parameters: string, values: Record<string, (number | null)[]>]>([
    ['by=service', { 'service=b': [60], 'service=c': [54] }],
    ['by=service,instance,region,zone', { 'service=b': [60], 'service=c': [54] }],
    ['by=region', { '': [114] }],
    ['by=service&region=us', {}],
    ['by=service&service=c', { 'service=c': [54] }],
    ['by=service&service=c&instance=b-1', {}],
    ['by=service,instance,peer&direction=outbound&region=us', { 'service=b,instance=b-1,peer=c': [24] }],
  ])('requests %s', async (parameters, values) => {
    expect(await valuesOf(`signal=requests&step=1m&${parameters}&${MINUTE}`)).toEqual(values);
  });
});

describe('services of the same name in two namespaces', () => {
  const shop = (address: string, namespace: string, count: number) => ({
    address,
    identity: { namespace },
    flows: [{ counters: { '2xx': count } }],
  });
  on(meshOf([shop('10.0.0.1:9901', 'one', 1), shop('10.0.0.2:9901', 'two', 2), shop('10.0.0.3:9901', '', 4)]));

  test.each<[parameters: string, values: Record<string, (number | null)[]>]>([
    ['by=service', { 'service=shop': [42] }],
    [
      'by=namespace,service',
      { 'namespace=one,service=shop': [6], 'namespace=two,service=shop': [12], 'service=shop': [24] },
    ],
    ['by=service&namespace=two', { 'service=shop': [12] }],
    ['by=namespace&namespace=', { '': [24] }],
  ])('requests %s', async (parameters, values) => {
    expect(await valuesOf(`signal=requests&step=1m&${parameters}&${MINUTE}`)).toEqual(values);
  });
});
