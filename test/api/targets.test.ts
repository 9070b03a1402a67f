import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HttpSdAnswer, TargetsAnswer } from '../../server/api/contract.ts';
import { parseParams } from '../../server/api/params.ts';
import { listTargets, TARGETS_PARAMS } from '../../server/api/targets.ts';
import { Live } from '../../server/live/live.ts';
import type { Target } from '../../server/model/discovered-target.ts';
import { discovered } from '../live/live-targets.ts';
import { failedScrape, goodScrape } from '../store/records.ts';
import { type RunningApi, startApi } from './running-api.ts';

const TARGETS: readonly Target[] = [
  discovered('10.0.0.1:9901', { service: 'b', region: 'eu' }),
  discovered('10.0.0.2:9901', { service: 'a' }),
  discovered('https://10.0.0.3:9901', { service: 'a' }),
  discovered('unix:/run/envoy.sock', { service: 'c' }),
].map((target, index) => ({
  ...target,
  address: { ...target.address, scheme: (['http', 'http', 'https', 'unix'] as const)[index] ?? 'http' },
}));

const identity = { service: 'b', namespace: '', region: 'eu', zone: '', instance: 'b-1' };
const records = [
  goodScrape({
    target: '10.0.0.1:9901',
    from: 0,
    to: 1000,
    identity,
    flows: [],
    findings: { startedAt: 400, certificateExpiry: 1_800_000_000 },
  }),
  failedScrape('10.0.0.2:9901', 1000, 'nothing listens there'),
];

describe('pages and filters', () => {
  let api: RunningApi;
  beforeAll(async () => {
    const dropped = [{ discoveredLabels: { __address__: 'x:1' }, reason: 'dropped by discovery.relabel[0]' }];
    api = await startApi(
      { targets: TARGETS, records },
      {
        discovery: {
          dropped: () => ({ list: dropped, total: 7 }),
          note: (key) => (key === '10.0.0.1:9901' ? 'found twice' : ''),
          states: () => [{ name: 'discovery.http[0]', error: 'nothing listens there', answered: false }],
        },
      },
    );
  });
  afterAll(() => api.stop());

  const list = async (search = '') => api.get<TargetsAnswer>(`/api/v1/targets${search}`);
  const addresses = ({ targets }: TargetsAnswer) => targets.map(({ labels }) => labels.address);

  test.each<[search: string, expected: string[], total: number]>([
    ['', ['10.0.0.2:9901', 'https://10.0.0.3:9901', '10.0.0.1:9901', 'unix:/run/envoy.sock'], 4],
    ['?limit=2', ['10.0.0.2:9901', 'https://10.0.0.3:9901'], 4],
    ['?limit=2&offset=3', ['unix:/run/envoy.sock'], 4],
    ['?offset=9', [], 4],
    ['?service=a', ['10.0.0.2:9901', 'https://10.0.0.3:9901'], 2],
    ['?health=down', ['10.0.0.2:9901'], 1],
    ['?health=up,down&service=b', ['10.0.0.1:9901'], 1],
    ['?health=up&health=unknown', ['https://10.0.0.3:9901', '10.0.0.1:9901', 'unix:/run/envoy.sock'], 3],
  ])('%s', async (search, expected, total) => {
    const answer = await list(search);
    expect([addresses(answer), answer.total]).toEqual([expected, total]);
  });

  test('counts are of all healths, dropped ones and failing mechanisms are told', async () => {
    const answer = await list('?health=down&limit=1');
    expect(answer).toMatchObject({
      counts: { up: 1, down: 1, unknown: 2 },
      dropped: [{ discoveredLabels: { __address__: 'x:1' }, reason: 'dropped by discovery.relabel[0]' }],
      droppedTotal: 7,
      discovery: [{ name: 'discovery.http[0]', error: 'nothing listens there', answered: false }],
    });
    expect((await list('?service=b')).targets[0]?.note).toBe('found twice');
  });

  test('what it says of itself', async () => {
    expect((await list('?service=b')).targets[0]).toMatchObject({
      startedAt: 400,
      restarts: [],
      certificateExpiry: 1_800_000_000_000,
    });
  });

  test('for Prometheus: grouped by labels, without unix sockets', async () => {
    const groups = await api.get<HttpSdAnswer>('/api/v1/http_sd');
    expect(groups).toEqual([
      { targets: ['10.0.0.2:9901'], labels: { service: 'a' } },
      { targets: ['10.0.0.3:9901'], labels: { service: 'a', __scheme__: 'https' } },
      { targets: ['10.0.0.1:9901'], labels: expect.objectContaining({ service: 'b', region: 'eu', instance: 'b-1' }) },
    ]);
    expect(await api.get<HttpSdAnswer>('/api/v1/http_sd?service=b')).toHaveLength(1);
  });
});

test('a page of 10,000 targets takes less than 50 ms', () => {
  const live = new Live();
  live.setTargets(
    Array.from({ length: 10_000 }, (_, index) =>
      discovered(`10.0.${index >> 8}.${index & 255}:9901`, { service: `s${index % 100}`, region: 'eu' }),
    ),
  );
  const all = live.all();
  const discovery = { dropped: () => ({ list: [], total: 0 }), note: () => '', states: () => [] };
  const times = Array.from({ length: 20 }, () => {
    const before = process.cpuUsage();
    const answer = listTargets(all, parseParams('health=unknown&limit=100&offset=5000', TARGETS_PARAMS), discovery);
    JSON.stringify(answer);
    expect([answer.targets.length, answer.total]).toEqual([100, 10_000]);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  expect(Math.min(...times)).toBeLessThan(50);
});
