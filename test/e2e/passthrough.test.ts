/** Dynamic forward proxies: all peers share one cluster per protocol, and failed gRPC calls are HTTP 200. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { MeshLedger } from '../../examples/meshes/ledger.ts';
import { entries, ledgerOptions } from '../../examples/meshes/passthrough/traffic.ts';
import { type EntryRequest, sendPlan } from '../../examples/meshes/sender.ts';
import type { QueryAnswer, ServiceAnswer, TargetsAnswer, TopologyAnswer } from '../../server/api/contract.ts';
import { MeshRun } from './mesh-run.ts';
import { readEnvoyStats } from './mesh-stats.ts';
import type { Truth } from './truth.ts';
import { describeTruth } from './truth-suite.ts';

const repeat = (count: number, request: Omit<EntryRequest, 'entry' | 'to'>): EntryRequest[] =>
  Array(count).fill({ entry: 'bot', to: 'web', ...request });

const vote = (method: string) => [
  { to: 'emoji', path: 'FindByShortcode', delayMs: 3 },
  { to: 'voting', path: method, delayMs: 8 },
];

const PLAN: readonly EntryRequest[] = [
  ...repeat(60, { path: '/api/vote', calls: vote('VoteJoy') }),
  ...repeat(17, { path: '/api/vote', calls: vote('VoteDoughnut') }),
  ...repeat(40, { path: '/api/list', calls: [{ to: 'emoji', path: 'ListAll', delayMs: 20 }] }),
  ...repeat(13, { path: '/api/leaderboard', status: 200, calls: [{ to: 'voting', path: 'Results', grpcStatus: 14 }] }),
  ...repeat(9, { path: '/nowhere', status: 404 }),
  ...repeat(4, { path: '/api/list', status: 500 }),
];

const ledger = new MeshLedger(ledgerOptions);
let run: MeshRun;

const SERVICES = ['emoji', 'vote-bot', 'voting', 'web'];
const CALLS = [
  ['vote-bot', 'web'],
  ['web', 'emoji'],
  ['web', 'voting'],
] as const;

const truth = (): Truth => ({
  instances: Object.fromEntries(
    SERVICES.map((id) => [id, { service: id, region: 'eu-west-1', inbound: ledger.inbound(id) }]),
  ),
  calls: CALLS.map(([from, to]) => ({ from, to, hop: ledger.outbound(from, to) })),
  latencyTold: [['vote-bot', 'web']],
});

beforeAll(async () => {
  run = await MeshRun.start('passthrough');
  await sendPlan(PLAN, { entries, portOffset: run.mesh.portOffset, concurrency: 6, ledger });
  await run.settled(truth());
}, 120_000); // the first start on a machine installs Envoy

afterAll(() => run?.stop());

test('every request was answered and the mesh did what was planned', () => {
  expect([ledger.answered, ledger.unanswered, run.mesh.messages]).toEqual([PLAN.length, [], []]);
  expect(ledger.inbound('web').byClass).toEqual({ '2xx': 113, '3xx': 0, '4xx': 9, '5xx': 17 + 4 });
  expect(ledger.inbound('emoji')).toMatchObject({ requests: 117, grpcFailures: 0 });
  expect(ledger.inbound('voting')).toMatchObject({ requests: 90, grpcFailures: 17 + 13 });
});

describeTruth(() => run, truth);

test('failed votes count as failures, at voting and at its caller', async () => {
  const { errorRate, codeClasses } = await run.whole<ServiceAnswer>('services/voting');
  expect([errorRate, codeClasses?.['2xx']]).toEqual([30 / 90, 90]);
  const { edges } = await run.whole<TopologyAnswer>('topology');
  const failed = edges
    .filter(({ source }) => source === 'web')
    .map((edge) => (edge.errorRate ?? 0) * (edge.requests ?? 0));
  expect(failed.reduce((sum, count) => sum + count, 0)).toBeCloseTo(30, 9);
});

test('latency of calls through one cluster is known together, not by whom they reached', async () => {
  const { edges } = await run.whole<TopologyAnswer>('topology');
  const toSeveral = edges.filter(({ source }) => source === 'web');
  const latencies = toSeveral.map(({ target, latencyMs, latencySamples }) => [target, latencyMs.p50, latencySamples]);
  expect(latencies.sort()).toEqual([
    ['emoji', null, 0],
    ['voting', null, 0],
  ]);
  const { series } = await run.whole<QueryAnswer>('query?signal=latency_mean&direction=outbound&service=web&step=10m');
  expect(series.flatMap(({ points }) => points).some(([, value]) => value !== null)).toBe(true);
});

test('/clusters is asked now and then, and its cost is told apart', async () => {
  const { targets } = await run.api<TargetsAnswer>('targets');
  expect(targets.map(({ failureSource }) => failureSource)).toEqual([
    'grpc_stats',
    'clusters',
    'grpc_stats',
    'grpc_stats',
  ]);
  for (const { clusters } of targets) expect(clusters).toMatchObject({ result: 'ok', error: '' });
});

test('Envoy itself has one cluster per protocol for all that is called', async () => {
  const web = await readEnvoyStats(run.mesh.targets[SERVICES.indexOf('web')]?.address ?? '');
  const sent = (cluster: string) => web.value(`cluster.${cluster}.upstream_rq_completed`);
  expect([sent('grpc_proxy_cluster'), sent('rest_proxy_cluster')]).toEqual([117 + 90, 0]);
});
