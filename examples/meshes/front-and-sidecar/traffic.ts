import type { MeshTraffic } from '../../../server/demo/mesh.ts';
import type { LedgerOptions } from '../ledger.ts';
import type { PlannedCall } from '../plan.ts';
import { lognormal, type Random } from '../random.ts';
import { type Entry, type Kind, sendKinds } from '../sender.ts';

/** Where requests enter: the listener of front-proxy.yaml. */
export const frontPort = 18100;
export const entries: Readonly<Record<string, Entry>> = { front: { protocol: 'http', port: frontPort } };
export const ledgerOptions: LedgerOptions = { gateways: ['front-proxy'] };

const toApi = { entry: 'front', to: 'api', path: '/api/items' };
const quick = (random: Random) => lognormal(random, { medianMs: 4, spread: 0.6 });
const toStore = (random: Random, call: Partial<PlannedCall> = {}): PlannedCall => ({
  to: 'store',
  delayMs: lognormal(random, { medianMs: 12, spread: 0.7 }),
  ...call,
});

/** About 20 requests per second in all. */
export const kinds: readonly Kind[] = [
  { name: 'read', perSecond: 10, plan: (random) => ({ ...toApi, delayMs: quick(random) }) },
  { name: 'look up', perSecond: 6, plan: (random) => ({ ...toApi, calls: [toStore(random)] }) },
  {
    name: 'look up twice',
    perSecond: 2,
    plan: (random) => ({ ...toApi, delayMs: quick(random), calls: [toStore(random), toStore(random)] }),
  },
  { name: 'unknown item', perSecond: 1, plan: (random) => ({ ...toApi, status: 404, delayMs: quick(random) }) },
  { name: 'outside of /api', perSecond: 0.7, plan: () => ({ ...toApi, path: '/favicon.ico' }) },
  { name: 'store fails', perSecond: 0.3, plan: (random) => ({ ...toApi, calls: [toStore(random, { status: 503 })] }) },
  { name: 'api fails', perSecond: 0.1, plan: (random) => ({ ...toApi, status: 500, delayMs: quick(random) }) },
];

export const startTraffic: MeshTraffic['startTraffic'] = async ({ portOffset }) =>
  sendKinds(kinds, { entries, portOffset });
