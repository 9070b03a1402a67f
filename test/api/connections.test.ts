/** How long bare connections lasted, over the API: told of connections, and never mixed with requests. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { QueryAnswer, ServiceAnswer } from '../../server/api/contract.ts';
import { type FlowSpec, goodScrape } from '../store/records.ts';
import { BASE, INTERVAL, meshOf } from './meshes.ts';
import { type RunningApi, startApi } from './running-api.ts';

const ADDRESSES = ['10.0.0.1:9901', '10.0.0.2:9901'] as const;
const identityOf = (index: number) => ({ service: 'ledger', instance: `ledger-${index + 1}` });
const TRAFFIC: readonly FlowSpec[] = [
  { counters: { '2xx': 5, connections: 3 }, latency: { 7: 5 } },
  { direction: 'outbound', peer: 'database', counters: { connections: 2 } },
];
/** Connections that ended, by the milliseconds that they lasted, of each instance; a bin is as wide as its second digit. */
const ENDED: readonly (readonly FlowSpec[])[] = [
  [
    { direction: 'inbound_connections', source: 'upstream', latency: { 100: 30 } },
    { direction: 'outbound_connections', peer: 'database', latency: { 2000: 40 } },
  ],
  [
    { direction: 'inbound_connections', source: 'upstream', latency: { 900: 10 } },
    { direction: 'outbound_connections', peer: 'database', latency: { 5000: 60 } },
  ],
];

let api: RunningApi;

beforeAll(async () => {
  const mesh = meshOf(ADDRESSES.map((address, index) => ({ address, identity: identityOf(index), flows: TRAFFIC })));
  const ended = ENDED.map((flows, index) =>
    goodScrape({
      target: `connections of ${ADDRESSES[index]}`,
      from: BASE,
      to: BASE + INTERVAL,
      identity: identityOf(index),
      flows,
    }),
  );
  api = await startApi({ ...mesh, records: [...mesh.records, ...ended] });
});

afterAll(() => api.stop());

const series = async (parameters: string) => {
  const answer = await api.get<QueryAnswer>(`/api/v1/query?step=1m&from=${BASE}&to=${BASE + 60_000}&${parameters}`);
  return answer.series.map(({ labels, points }) => [labels, points.map(([, value]) => value)]);
};

test.each([
  ['signal=connection_duration_p50&service=ledger', [[{}, [106.666667]]]],
  ['signal=connection_duration_p99&service=ledger&direction=inbound', [[{}, [909.6]]]],
  [
    'signal=connection_duration_p95&service=ledger&by=instance',
    [
      [{ instance: 'ledger-1' }, [109.5]],
      [{ instance: 'ledger-2' }, [909.5]],
    ],
  ],
  ['signal=connection_duration_p50&service=ledger&direction=outbound&by=peer', [[{ peer: 'database' }, [5016.666667]]]],
  ['signal=connection_duration_p50&service=database', [[{}, [5016.666667]]]],
])('%s', async (parameters, expected) => {
  const found = await series(parameters);
  const rounded = found.map(([labels, values]) => [
    labels,
    (values as (number | null)[]).map((value) => value && Math.round(value * 1e6) / 1e6),
  ]);
  expect(rounded).toEqual(expected);
});

test('a step in which none ended has no duration', async () => {
  const answer = await api.get<QueryAnswer>(
    `/api/v1/query?signal=connection_duration_p50&service=ledger&step=10s&from=${BASE}&to=${BASE + 20_000}`,
  );
  expect(answer.series[0]?.points.map(([, value]) => value === null)).toEqual([false, true]);
});

test('requests and their latencies know nothing of them', async () => {
  const service = await api.get<ServiceAnswer>(`/api/v1/services/ledger?from=${BASE}&to=${BASE + 60_000}`);
  expect(service).toMatchObject({ requests: 60, latencySamples: 60, vantage: 'server' });
  expect(service.latencyMs.p999).toBeLessThan(8);
});

test('they have no requests to rank by', async () => {
  const response = await fetch(`${api.url}/api/v1/query?signal=connection_duration_p50&by=instance&top=3`);
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { error: { message: 'top ranks by requests, of which bare connections have none: leave it out' } },
  ]);
});
