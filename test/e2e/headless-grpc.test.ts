/** gRPC spread over three instances request by request, one of them slow; failed calls are HTTP 200. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { entries, ledgerOptions } from '../../examples/meshes/headless-grpc/traffic.ts';
import { MeshLedger } from '../../examples/meshes/ledger.ts';
import { type EntryRequest, sendPlan } from '../../examples/meshes/sender.ts';
import type { ServiceAnswer } from '../../server/api/contract.ts';
import { MeshRun } from './mesh-run.ts';
import type { Truth } from './truth.ts';
import { describeTruth } from './truth-suite.ts';

const repeat = (count: number, request: Omit<EntryRequest, 'entry' | 'to'>): EntryRequest[] =>
  Array(count).fill({ entry: 'front', to: 'quotes', ...request });

const PLAN: readonly EntryRequest[] = [
  ...repeat(60, { delayMs: 2, calls: [{ to: 'pricing', delayMs: 5 }] }),
  ...repeat(40, { calls: [{ to: 'pricing' }, { to: 'pricing', delayMs: 9 }] }),
  ...repeat(15, { grpcStatus: 3 }),
  ...repeat(11, { grpcStatus: 0, calls: [{ to: 'pricing', grpcStatus: 5 }] }),
  ...repeat(9, { calls: [{ to: 'pricing', grpcStatus: 13, delayMs: 3 }] }),
  ...repeat(7, { grpcStatus: 0, calls: [{ to: 'pricing', grpcStatus: 14 }] }),
];

const ledger = new MeshLedger(ledgerOptions);
let run: MeshRun;

const PRICING = ['pricing-1', 'pricing-2', 'pricing-3'];

const truth = (): Truth => ({
  instances: {
    'front-proxy': { service: 'front-proxy', region: 'eu-west-1', inbound: ledger.inbound('front-proxy') },
    ...Object.fromEntries(
      PRICING.map((id) => [id, { service: 'pricing', region: 'eu-west-1', inbound: ledger.inbound(id) }]),
    ),
    quotes: { service: 'quotes', region: 'eu-west-1', inbound: ledger.inbound('quotes') },
  },
  calls: [
    { from: 'front-proxy', to: 'quotes', hop: ledger.outbound('front-proxy', 'quotes') },
    { from: 'quotes', to: 'pricing', hop: ledger.outbound('quotes', 'pricing') },
  ],
});

beforeAll(async () => {
  run = await MeshRun.start('headless-grpc');
  await sendPlan(PLAN, { entries, portOffset: run.mesh.portOffset, concurrency: 6, ledger });
  await run.settled(truth());
}, 120_000); // the first start on a machine installs Envoy

afterAll(() => run?.stop());

test('every call was answered and the mesh did what was planned', () => {
  expect([ledger.answered, ledger.unanswered, run.mesh.messages]).toEqual([PLAN.length, [], []]);
  const { requests, byClass, grpcFailures } = ledger.outbound('quotes', 'pricing');
  expect([requests, byClass['2xx'], grpcFailures]).toEqual([167, 167, 11 + 9 + 7]);
  expect(ledger.inbound('quotes').grpcFailures).toBe(15 + 9);
});

describeTruth(() => run, truth);

test('failed calls count as failures though they are HTTP 200', async () => {
  const { errorRate, codeClasses } = await run.whole<ServiceAnswer>('services/pricing');
  expect([errorRate, codeClasses?.['2xx']]).toEqual([27 / 167, 167]);
});

test('by instance, the load is even and one is slow', async () => {
  const { byInstance } = await run.whole<ServiceAnswer>('services/pricing');
  const requests = byInstance.map((row) => row.requests ?? 0);
  expect(Math.max(...requests) - Math.min(...requests)).toBeLessThanOrEqual(1);
  const [first, slow, third] = byInstance.map(({ latencyMs }) => latencyMs.p50 ?? Number.NaN);
  expect(slow).toBeGreaterThan(55);
  expect(Math.max(first ?? Number.NaN, third ?? Number.NaN)).toBeLessThan(55);
});
