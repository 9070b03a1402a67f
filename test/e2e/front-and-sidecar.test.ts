/** North-south apart from east-west: a front proxy and sidecars whose stat prefixes are the same. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { entries, ledgerOptions } from '../../examples/meshes/front-and-sidecar/traffic.ts';
import { MeshLedger } from '../../examples/meshes/ledger.ts';
import { type EntryRequest, sendPlan } from '../../examples/meshes/sender.ts';
import type { ServiceAnswer } from '../../server/api/contract.ts';
import { MeshRun } from './mesh-run.ts';
import type { Truth } from './truth.ts';
import { describeTruth } from './truth-suite.ts';

const repeat = (count: number, request: Omit<EntryRequest, 'entry' | 'to'>): EntryRequest[] =>
  Array(count).fill({ entry: 'front', to: 'api', path: '/api/items', ...request });

const PLAN: readonly EntryRequest[] = [
  ...repeat(60, { delayMs: 3 }),
  ...repeat(40, { calls: [{ to: 'store', delayMs: 12 }] }),
  ...repeat(20, { delayMs: 40, calls: [{ to: 'store' }, { to: 'store', delayMs: 5 }] }),
  ...repeat(12, { status: 404 }),
  ...repeat(6, { status: 301 }),
  ...repeat(5, { status: 500, delayMs: 9 }),
  ...repeat(7, { calls: [{ to: 'store', status: 503 }] }),
  ...repeat(9, { calls: [{ to: 'store', status: 404 }] }),
  ...repeat(8, { path: '/favicon.ico' }),
];

const ledger = new MeshLedger(ledgerOptions);
let run: MeshRun;

const truth = (): Truth => ({
  instances: {
    'api-1': { service: 'api', region: 'eu-west-1', inbound: ledger.inbound('api-1') },
    'api-2': { service: 'api', region: 'eu-west-1', inbound: ledger.inbound('api-2') },
    'front-proxy': { service: 'front-proxy', region: 'eu-west-1', inbound: ledger.inbound('front-proxy') },
    store: { service: 'store', region: 'eu-west-1', inbound: ledger.inbound('store') },
  },
  calls: [{ from: 'front-proxy', to: 'api', hop: ledger.outbound('front-proxy', 'api') }],
});

beforeAll(async () => {
  run = await MeshRun.start('front-and-sidecar');
  await sendPlan(PLAN, { entries, portOffset: run.mesh.portOffset, concurrency: 6, ledger });
  await run.settled(truth());
}, 120_000); // the first start on a machine installs Envoy

afterAll(() => run?.stop());

test('every request was answered and the mesh did what was planned', () => {
  expect([ledger.answered, ledger.unanswered, run.mesh.messages]).toEqual([PLAN.length, [], []]);
  expect(ledger.inbound('api-1').requests).toBeGreaterThan(0);
  expect(ledger.inbound('api-2').requests).toBeGreaterThan(0);
  expect(ledger.inbound('store').byClass).toEqual({ '2xx': 80, '3xx': 0, '4xx': 9, '5xx': 7 });
});

describeTruth(() => run, truth);

test('what the front proxy answers itself is its own inbound traffic and no call', async () => {
  const { codeClasses, upstreams } = await run.whole<ServiceAnswer>('services/front-proxy');
  expect(codeClasses?.['4xx']).toBe(12 + 8);
  expect(upstreams.map(({ service, codeClasses: sent }) => [service, sent?.['4xx']])).toEqual([['api', 12]]);
});

test('a service that is called past Envoy has no callers, and its own figures', async () => {
  const { requests, downstreams } = await run.whole<ServiceAnswer>('services/store');
  expect([requests, downstreams]).toEqual([96, []]);
});
