/** Windows in whole steps, the same window earlier, and the most busy of many. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QueryAnswer, ServiceAnswer, ServicesAnswer } from '../../server/api/contract.ts';
import { BASE, INTERVAL, MIXED, NOW } from './meshes.ts';
import { type RunningApi, startApi } from './running-api.ts';

let api: RunningApi;
/** An hour after the mesh was measured. */
let later: RunningApi;
beforeAll(async () => {
  api = await startApi(MIXED, { now: () => NOW - 3000 });
  later = await startApi(MIXED, { now: () => NOW + 3_600_000 });
});
afterAll(async () => {
  await api.stop();
  await later.stop();
});

const values = ({ series }: Pick<QueryAnswer, 'series'>) =>
  Object.fromEntries(series.map(({ labels, points }) => [Object.values(labels).join(','), points.map(([, v]) => v)]));

describe('a window back from now', () => {
  test.each([
    ['1m', 60_000],
    ['30s', 30_000],
    ['25s', 30_000],
    ['1s', INTERVAL],
  ])('%s is whole steps of storage, the last of which holds now', async (window, windowMs) => {
    const answer = await api.get<ServicesAnswer>(`/api/v1/services?window=${window}`);
    expect(answer).toMatchObject({ at: NOW, windowMs, window, offsetMs: 0, tiers: ['raw'] });
    expect(answer.services.find(({ service }) => service === 'shop')?.requests).toBe(30 * (windowMs / INTERVAL));
  });
});

describe('an offset', () => {
  test('gives the figures of the window so much earlier', async () => {
    const now = await later.get<ServicesAnswer>('/api/v1/services?window=1m&service=shop');
    const before = await later.get<ServicesAnswer>('/api/v1/services?window=1m&service=shop&offset=1h');
    expect(now.services[0]).toMatchObject({ requests: null, state: 'no_data' });
    expect(before).toMatchObject({ at: now.at, windowMs: now.windowMs, offsetMs: 3_600_000 });
    expect(before.services[0]).toMatchObject({ requests: 180 });
    const shop = await later.get<ServiceAnswer>('/api/v1/services/shop?window=1m&offset=1h');
    expect(shop).toMatchObject({ requests: 180, offsetMs: 3_600_000 });
    expect(shop.upstreams.find(({ service }) => service === 'cart')?.requests).toBe(84);
  });

  test('leaves the times as they would be without', async () => {
    const path = `/api/v1/query?signal=requests&service=shop&step=20s&from=${BASE + 3_600_000}&to=${NOW + 3_600_000}`;
    const now = await later.get<QueryAnswer>(path);
    const before = await later.get<QueryAnswer>(`${path}&offset=60m`);
    expect([before.from, before.to, before.offsetMs]).toEqual([now.from, now.to, 3_600_000]);
    expect(before.series[0]?.points).toEqual([0, 1, 2].map((step) => [BASE + 3_600_000 + step * 20_000, 60]));
    expect(now.series).toEqual([]);
  });
});

describe('top', () => {
  const top = (rest: string) => api.get<QueryAnswer>(`/api/v1/query?step=1m&from=${BASE}&to=${NOW}&${rest}`);

  test('keeps the groups with the most requests and adds up the others', async () => {
    const answer = await top('signal=requests&by=service&top=2');
    expect(values(answer)).toEqual({ edge: [198], shop: [180] });
    expect(answer.other).toEqual([{ labels: {}, points: [[BASE, 102 + 10 + 6]] }]);
  });

  test('has no others where there is room for all', async () => {
    const answer = await top('signal=request_rate&by=service&top=100');
    expect([answer.series.length, answer.other]).toEqual([7, []]);
  });

  test.each(['latency_p50', 'latency_p99', 'latency_mean'])(
    '%s of the others is that of all their requests',
    async (signal) => {
      const all = await top(`signal=${signal}&by=service`);
      const answer = await top(`signal=${signal}&by=service&top=2`);
      expect(values(answer)).toEqual({ edge: values(all).edge, shop: values(all).shop });
      const rest = ['cart', 'sleepy', 'ledger', 'idle'].map((service) => `service=${service}`).join('&');
      const together = await top(`signal=${signal}&${rest}&service=${encodeURIComponent('bank/ü v2 100% a&b?#')}`);
      expect(answer.other[0]?.points).toEqual(together.series[0]?.points);
      expect(answer.other[0]?.points[0]?.[1]).not.toBeNull();
    },
  );

  test('works by instance, and for what was sent', async () => {
    expect(values(await top('signal=latency_p50&by=instance&service=shop&top=1'))).toEqual({ 'shop-1': [10.5] });
    const sent = await top('signal=requests&direction=outbound&by=peer&top=1');
    expect([Object.keys(values(sent)), sent.other.length]).toEqual([['shop'], 1]);
  });
});

describe('latency over several services', () => {
  test.each(['', '&by=region', '&by=zone,region', '&by=namespace', '&region=eu', '&service=shop&service=edge'])(
    'is that of their merged histograms: %s',
    async (rest) => {
      const path = `/api/v1/query?step=1m&from=${BASE}&to=${NOW}${rest}`;
      const shown = await api.get<QueryAnswer>(`${path}&signal=latency_p90`);
      expect(shown.series.length).toBeGreaterThan(0);
      const counted = await api.get<QueryAnswer>(`${path}&signal=requests`);
      expect(Object.keys(values(shown)).sort()).toEqual(Object.keys(values(counted)).sort());
    },
  );

  test('of all: 198 of 5 ms, 120 of 10, 60 of 40, 90 of 2 or 3 with 12 timeouts, 10 of 1, 6 of 100', async () => {
    const answer = await api.get<QueryAnswer>(`/api/v1/query?step=1m&from=${BASE}&to=${NOW}&signal=latency_p50`);
    // 5 ms holds samples 101 to 298 of 484 and 12 slower: the 248th is 148 into it.
    expect(answer.series[0]?.points[0]?.[1]).toBeCloseTo(5 + (248 - 100) / 198, 6);
  });
});
