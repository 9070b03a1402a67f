/** Clusters that carry bare connections, as a real Envoy 1.40 tells them. */

import { expect, test } from 'vitest';
import { increments } from '../../server/mesh/increments.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { compilePlan } from '../../server/mesh/plan.ts';
import { COUNTERS, GAUGES } from '../../server/model/flow.ts';
import { readingOf } from '../envoy/stats-body.ts';

/** Five connections of 100 bytes each way, of which two are open and three were ended by the peer. */
const TCP = {
  membership_total: 1,
  upstream_cx_active: 2,
  upstream_cx_destroy_remote_with_active_rq: 3,
  upstream_cx_rx_bytes_total: 500,
  upstream_cx_total: 5,
  upstream_cx_tx_bytes_total: 500,
  upstream_rq_active: 2,
  upstream_rq_pending_active: 0,
  upstream_rq_total: 5,
};
const BARE = { connections: 5, bytes_rx: 500, bytes_tx: 500, active_connections: 2, endpoints_total: 1 };
const EVENTS = { reset: 3 };

test.each<[what: string, more: Record<string, number>, managers: string[], local: object, peer: object]>([
  ['only TCP', {}, [], BARE, BARE],
  ['TCP beside a connection manager', {}, ['ingress_http'], BARE, BARE],
  [
    'HTTP that has not answered yet',
    { upstream_cx_http1_total: 5 },
    [],
    { ...BARE, ...EVENTS, active_requests: 2 },
    { ...BARE, ...EVENTS, active_requests: 2 },
  ],
  [
    'HTTP beside a connection manager',
    { upstream_cx_http2_total: 1 },
    ['ingress_http'],
    EVENTS,
    { ...BARE, ...EVENTS, active_requests: 2 },
  ],
  ['refused', { upstream_cx_connect_fail: 5 }, [], { ...BARE, connect: 5 }, { ...BARE, connect: 5 }],
  [
    'answered by Envoy itself',
    { upstream_cx_connect_fail: 5, upstream_rq_5xx: 5, upstream_rq_completed: 5 },
    [],
    { ...BARE, ...EVENTS, active_requests: 2, connect: 5, '5xx': 5 },
    { ...BARE, ...EVENTS, active_requests: 2, connect: 5, '5xx': 5 },
  ],
])('%s', (_, more, managers, local, peer) => {
  const stats = Object.entries({ ...TCP, ...more });
  const scalars = ['local_app', 'db.default'].flatMap((cluster) =>
    stats.map(([stat, value]) => [`cluster.${cluster}.${stat}`, value] as const),
  );
  const reading = readingOf({ scalars: Object.fromEntries(scalars) });
  const input = { service: 'shop', labelledRole: '', namedRole: 'sidecar', rules: NO_RULES } as const;
  const plan = compilePlan({ ...input, layout: reading.layout, managers: new Set(managers) });
  const seen = increments(plan, reading, undefined).map(({ flow, counters, gauges }) => [
    flow.peer,
    Object.fromEntries(
      [
        ...COUNTERS.map((name, index) => [name, counters[index]] as const),
        ...GAUGES.map((name, index) => [name, gauges[index]] as const),
      ].filter(([, value]) => value !== 0),
    ),
  ]);
  expect(Object.fromEntries(seen)).toEqual({ '': local, 'db.default': peer });
});
