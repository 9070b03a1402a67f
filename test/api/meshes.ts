/** Meshes made by hand: a minute of scrapes every 10 s, up to {@link NOW}. */

import type { Identity } from '../../server/model/flow.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { discovered } from '../live/live-targets.ts';
import { type FlowSpec, failedScrape, goodScrape } from '../store/records.ts';
import type { MeshData } from './running-api.ts';

/** A whole minute of Unix time. */
export const BASE = 28_333_333 * 60_000;
export const INTERVAL = 10_000;
export const ROUNDS = 6;
export const NOW = BASE + ROUNDS * INTERVAL;

interface Sidecar {
  readonly address: string;
  readonly identity: Partial<Identity>;
  /** What each flow counts in every round. */
  readonly flows: readonly FlowSpec[];
  /** Rounds after which it is down. */
  readonly until?: number;
  /** Rounds before which it is not there yet. */
  readonly since?: number;
}

function recordsOf({ address, identity, flows, until = ROUNDS, since = 0 }: Sidecar): ScrapeRecord[] {
  return Array.from({ length: ROUNDS - since }, (_, index) => {
    const round = since + index;
    const [from, to] = [BASE + round * INTERVAL, BASE + (round + 1) * INTERVAL];
    if (round >= until) return failedScrape(address, to, `nothing listens at ${address}`);
    return goodScrape({ target: address, from, to, identity, flows });
  });
}

/** Sidecars, and addresses of targets that never answered. */
export function meshOf(sidecars: readonly Sidecar[], neverUp: readonly string[] = []): MeshData {
  const failures = neverUp.map((address) => failedScrape(address, NOW, `nothing listens at ${address}`));
  const records = [...sidecars.flatMap(recordsOf), ...failures].sort((a, b) => a.at - b.at);
  const addresses = [...sidecars.map(({ address }) => address), ...neverUp];
  return { targets: addresses.map((address) => discovered(address)), records };
}

const calls = (peer: string, spec: FlowSpec): FlowSpec => ({ direction: 'outbound', peer, ...spec });
const ok = (count: number, latencyMs: number): FlowSpec => ({
  counters: { '2xx': count },
  latency: { [latencyMs]: count },
});

/** A name that has to be encoded in an address. */
export const ODD_NAME = 'bank/ü v2 100% a&b?#';

/**
 * A gateway `edge`, `shop` with two instances in two regions that see what they receive, `cart` that only its
 * callers measure, `ledger` without traffic, `sleepy` that is down after two rounds, a peer outside of the mesh,
 * and a target that never answered.
 */
export const MIXED = meshOf(
  [
    {
      address: '10.0.0.1:9901',
      identity: { service: 'edge', instance: 'edge-1', region: 'eu', zone: 'eu-1', role: 'gateway' },
      flows: [
        { counters: { '2xx': 30, '4xx': 2, '5xx': 1 }, latency: { 5: 33 } },
        calls('shop', ok(30, 4)),
        calls('cart', ok(3, 2)),
      ],
    },
    {
      address: '10.0.0.2:9901',
      identity: { service: 'shop', instance: 'shop-1', region: 'eu', zone: 'eu-1' },
      flows: [
        {
          counters: { '2xx': 20, bytes_rx: 1000, bytes_tx: 5000 },
          gauges: { active_requests: 3, active_connections: 4 },
          latency: { 10: 20 },
        },
        calls('cart', { counters: { '2xx': 8, '5xx': 2, timeout: 2, timed_out: 2, retries: 1 }, latency: { 3: 8 } }),
        calls(ODD_NAME, ok(1, 100)),
        calls('idle', {}),
      ],
    },
    {
      address: '10.0.0.3:9901',
      identity: { service: 'shop', instance: 'shop-2', region: 'us', zone: 'us-1' },
      flows: [
        { counters: { '2xx': 10, grpc_failed: 2 }, gauges: { active_requests: 1 }, latency: { 40: 10 } },
        calls('cart', ok(4, 3)),
      ],
    },
    {
      address: '10.0.0.4:9901',
      identity: { service: 'cart', instance: 'cart-1', region: 'eu', zone: 'eu-1' },
      flows: [calls('ledger', {})],
    },
    { address: '10.0.0.5:9901', identity: { service: 'ledger', instance: 'ledger-1' }, flows: [{}] },
    { address: '10.0.0.6:9901', identity: { service: 'sleepy', instance: 'sleepy-1' }, flows: [ok(5, 1)], until: 2 },
  ],
  ['10.0.0.7:9901'],
);

/** A mesh whose sidecars see only what their services send. */
export const OUTBOUND_ONLY = meshOf([
  {
    address: '10.0.0.1:9901',
    identity: { service: 'a', instance: 'a-1', region: 'eu', zone: 'eu-1' },
    flows: [calls('b', ok(10, 20)), calls('c', ok(5, 7))],
  },
  {
    address: '10.0.0.2:9901',
    identity: { service: 'b', instance: 'b-1', region: 'us', zone: 'us-1' },
    flows: [calls('c', { counters: { '2xx': 3, '5xx': 1 }, latency: { 7: 4 } })],
  },
]);
