/** A local rate limit has a stat prefix of its own: whose requests it turned away is told by names, or not at all. */

import { expect, test } from 'vitest';
import { PrometheusStatsReader } from '../../server/envoy/stats-prometheus.ts';
import { increments } from '../../server/mesh/increments.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { compilePlan } from '../../server/mesh/plan.ts';
import type { Identity } from '../../server/model/flow.ts';
import { readingOf } from '../envoy/stats-body.ts';
import { told } from './faults.ts';

const limited = (prefix: string) => `${prefix}.http_local_rate_limit.enforced`;
const manager = (prefix: string) => `http.${prefix}.downstream_rq_completed`;

function counted(stats: Readonly<Record<string, number>>, role: Identity['role']): Record<string, string> {
  const reading = readingOf({
    scalars: { 'cluster.b.upstream_rq_completed': 1, 'http.admin.downstream_rq_2xx': 1, ...stats },
  });
  const plan = compilePlan({
    layout: reading.layout,
    service: 'a',
    labelledRole: role,
    namedRole: role,
    managers: new Set(),
    rules: NO_RULES,
  });
  const flows = increments(plan, reading, undefined).map((one) => [one.flow.peer || 'inbound', told(one)] as const);
  return Object.fromEntries(flows.filter(([, text]) => text !== ''));
}

const COUNTED = { inbound: 'rate_limited 3' };

test.each<[string, Readonly<Record<string, number>>, Identity['role'], Readonly<Record<string, string>>]>([
  ["a gateway's, whatever its name", { [manager('front')]: 1, [limited('any')]: 3 }, 'gateway', COUNTED],
  ['of a sidecar that requests only come in by', { [manager('ingress')]: 1, [limited('any')]: 3 }, 'sidecar', COUNTED],
  [
    'named as the inbound connection manager',
    { [manager('ingress')]: 1, [manager('egress')]: 1, [limited('ingress')]: 3 },
    'sidecar',
    COUNTED,
  ],
  [
    'with a name that says inbound',
    { [manager('ingress')]: 1, [manager('egress')]: 1, [limited('inbound.limit')]: 3 },
    'sidecar',
    COUNTED,
  ],
  [
    'of a sidecar with both directions, with a name that says none',
    { [manager('ingress')]: 1, [manager('egress')]: 1, [limited('limiter')]: 3 },
    'sidecar',
    {},
  ],
  [
    'named as the outbound connection manager',
    { [manager('ingress')]: 1, [manager('egress')]: 1, [limited('egress')]: 3 },
    'sidecar',
    {},
  ],
  ['where no request is known to come in', { [manager('egress')]: 1, [limited('ingress')]: 3 }, 'sidecar', {}],
  [
    'over the limit, but let through',
    { [manager('front')]: 1, 'any.http_local_rate_limit.rate_limited': 3 },
    'gateway',
    {},
  ],
])('%s', (_, stats, role, expected) => {
  expect(counted(stats, role)).toEqual(expected);
});

test('in the form of Prometheus', () => {
  const line = 'envoy_http_local_rate_limit_enforced{envoy_local_http_ratelimit_prefix="limiter"} 3\n';
  const { layout, values } = new PrometheusStatsReader().read(Buffer.from(line));
  expect([layout.scalars, [...values]]).toEqual([[limited('limiter')], [3]]);
});
