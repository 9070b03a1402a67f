/** The terminal tells and orders services as the dashboard does. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ServiceSummary } from '../../server/api/contract.ts';
import { judge, worstFirst } from '../../server/cli/badness.ts';
import { judge as judgeOnPage } from '../../web/figures/health.ts';
import { orderServices } from '../../web/pages/fleet/order.ts';
import { summary } from '../web/summary.ts';

const share = fc.oneof(
  fc.constant(null),
  fc.constantFrom(0, 0.0005, 0.001, 0.01, 0.5, 1),
  fc.double({ min: 0, max: 1, noNaN: true }),
);
const amount = fc.oneof(fc.constant(null), fc.constantFrom(0, 1, 300), fc.double({ min: 0, max: 1e6, noNaN: true }));
const few = fc.integer({ min: 0, max: 3 });

const service: fc.Arbitrary<ServiceSummary> = fc
  .record({
    service: fc.constantFrom('a', 'b', 's9', 's10', 'S9'),
    namespace: fc.constantFrom('', 'x'),
    requests: amount,
    requestRate: amount,
    errorRate: share,
    p99: amount,
    capped: fc.boolean(),
    up: few,
    down: few,
    firing: few,
    pending: few,
    state: fc.constantFrom('ok' as const, 'no_traffic' as const, 'no_data' as const, 'too_little_data' as const),
  })
  .map(({ p99, capped, up, down, firing, pending, service: name, ...figures }) => {
    const usual = summary(name);
    return {
      ...usual,
      ...figures,
      latencyMs: { ...usual.latencyMs, p99 },
      precision: { ...usual.precision, capped },
      instances: { up, total: up + down },
      alerts: { firing, pending },
    };
  });

test('health and urgency', () => {
  fc.assert(
    fc.property(service, (each) => {
      expect(judge(each)).toEqual(judgeOnPage(each));
    }),
  );
});

test('order', () => {
  fc.assert(
    fc.property(fc.array(service, { maxLength: 12 }), (services) => {
      expect(worstFirst(services)).toEqual(orderServices(services, null));
    }),
  );
});
