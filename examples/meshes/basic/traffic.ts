import { setTimeout as delay } from 'node:timers/promises';
import type { MeshTraffic, Running } from '../../../server/demo/mesh.ts';
import type { LedgerOptions } from '../ledger.ts';
import type { PlannedCall } from '../plan.ts';
import { lognormal, type Random } from '../random.ts';
import { type Entry, type EntryRequest, type Kind, sendKinds } from '../sender.ts';
import { ControlPlane, movable } from './endpoints.ts';

/** Where requests enter: the listeners of the front proxies, which pick the service by the Host header. */
export const frontPort = 18200;
export const entries: Readonly<Record<string, Entry>> = {
  eu: { protocol: 'http', port: frontPort, host: 'shop' },
  us: { protocol: 'http', port: 18240, host: 'shop' },
};
export const ledgerOptions: LedgerOptions = {
  gateways: ['front-proxy-eu', 'front-proxy-us'],
  callers: ['shop-eu', 'catalog-eu', 'stock-eu', 'shop-us', 'catalog-us', 'stock-us'],
};

const delayOf = (random: Random, medianMs: number) => lognormal(random, { medianMs, spread: 0.6 });
const toStock = (random: Random, call: Partial<PlannedCall> = {}): PlannedCall => ({
  to: 'stock',
  delayMs: delayOf(random, 6),
  ...call,
});
const toCatalog = (random: Random, call: Partial<PlannedCall> = {}): PlannedCall => ({
  to: 'catalog',
  delayMs: delayOf(random, 10),
  ...call,
});

const toShop = (random: Random, calls: readonly PlannedCall[]): Omit<EntryRequest, 'entry'> => ({
  to: 'shop',
  delayMs: delayOf(random, 4),
  calls,
});

/** What one region's users do. */
const regional: readonly { name: string; share: number; plan: (random: Random) => Omit<EntryRequest, 'entry'> }[] = [
  { name: 'browse', share: 0.5, plan: (random) => toShop(random, [toCatalog(random)]) },
  {
    name: 'product page',
    share: 0.25,
    plan: (random) => toShop(random, [toCatalog(random, { calls: [toStock(random)] })]),
  },
  { name: 'basket', share: 0.2, plan: (random) => toShop(random, [toStock(random), toStock(random)]) },
  { name: 'sold out', share: 0.03, plan: (random) => toShop(random, [toStock(random, { status: 404 })]) },
  { name: 'stock fails', share: 0.02, plan: (random) => toShop(random, [toStock(random, { status: 500 })]) },
];

const requestsPerSecond = { eu: 14, us: 8 } as const;

/** About 22 requests per second in all. */
export const kinds: readonly Kind[] = Object.entries(requestsPerSecond).flatMap(([entry, perSecond]) =>
  regional.map(({ name, share, plan }) => ({
    name: `${name} (${entry})`,
    perSecond: perSecond * share,
    plan: (random: Random) => ({ entry, ...plan(random) }),
  })),
);

const homeMs = 20_000;
const awayMs = 10_000;

/** The traffic, while each movable service in turn leaves its region for ten seconds. */
export const startTraffic: MeshTraffic['startTraffic'] = async ({ portOffset, runFolder }) => {
  const parts = [sendKinds(kinds, { entries, portOffset }), moveServices(new ControlPlane(runFolder))];
  return {
    async stop() {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
};

function moveServices(controlPlane: ControlPlane): Running {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = async () => {
    for (let turn = 0; ; turn++) {
      const { region, service } = movable[turn % movable.length] ?? { region: 'eu', service: 'catalog' };
      await delay(homeMs, undefined, { signal });
      await controlPlane.withdraw(region, service);
      await delay(awayMs, undefined, { signal });
      await controlPlane.restore(region, service);
    }
  };
  const ended = loop().catch((error: unknown) => {
    if (!signal.aborted) console.error(error);
  });
  return {
    stop() {
      stopping.abort();
      return ended;
    },
  };
}
