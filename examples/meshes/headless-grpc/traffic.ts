import type { MeshTraffic } from '../../../server/demo/mesh.ts';
import type { LedgerOptions } from '../ledger.ts';
import type { PlannedCall } from '../plan.ts';
import { lognormal, type Random } from '../random.ts';
import { type Entry, type Kind, sendKinds } from '../sender.ts';

/** Where calls enter: the listener of front-proxy.yaml. */
export const frontPort = 18300;
export const entries: Readonly<Record<string, Entry>> = {
  front: { protocol: 'grpc', port: frontPort, host: 'quotes' },
};
export const ledgerOptions: LedgerOptions = { gateways: ['front-proxy'], callers: ['quotes'] };

/** Statuses of gRPC that the traffic has. */
const invalidArgument = 3;
const notFound = 5;
const internal = 13;

const toQuotes = { entry: 'front', to: 'quotes' };
const toPricing = (random: Random, call: Partial<PlannedCall> = {}): PlannedCall => ({
  to: 'pricing',
  delayMs: lognormal(random, { medianMs: 8, spread: 0.6 }),
  ...call,
});

/** About 20 calls per second in all. */
export const kinds: readonly Kind[] = [
  { name: 'one price', perSecond: 13, plan: (random) => ({ ...toQuotes, calls: [toPricing(random)] }) },
  {
    name: 'three prices',
    perSecond: 5,
    plan: (random) => ({ ...toQuotes, calls: [toPricing(random), toPricing(random), toPricing(random)] }),
  },
  { name: 'refused', perSecond: 1, plan: () => ({ ...toQuotes, grpcStatus: invalidArgument }) },
  {
    name: 'no such price',
    perSecond: 0.6,
    plan: (random) => ({ ...toQuotes, grpcStatus: 0, calls: [toPricing(random, { grpcStatus: notFound })] }),
  },
  {
    name: 'pricing fails',
    perSecond: 0.3,
    plan: (random) => ({ ...toQuotes, calls: [toPricing(random, { grpcStatus: internal })] }),
  },
];

export const startTraffic: MeshTraffic['startTraffic'] = async ({ portOffset }) =>
  sendKinds(kinds, { entries, portOffset });
