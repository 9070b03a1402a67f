import { setTimeout as timer } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { SelfMetrics } from '../../server/telemetry/self-metrics.ts';

const BLOCKED_MS = 300;
/** Timers that are due later come later, however late all of them are. */
const AFTER_TWO_LOOKS_MS = 60;

async function figure(registry: Registry, name: string): Promise<number> {
  const all = await registry.getMetricsAsJSON();
  return all.find((metric) => metric.name === `sidelight_nodejs_eventloop_lag_${name}_seconds`)?.values[0]?.value ?? -1;
}

test('tells how late the event loop was, since it was asked for last, and no more than that', async () => {
  const { registry } = new SelfMetrics('1.0.0');
  await timer(AFTER_TWO_LOOKS_MS);
  const until = performance.now() + BLOCKED_MS;
  while (performance.now() < until);
  await timer(AFTER_TWO_LOOKS_MS);
  expect(await figure(registry, 'max')).toBeGreaterThan(0.2);
  expect(
    registry
      .getMetricsAsArray()
      .filter(({ name }) => name.includes('eventloop_lag'))
      .map(({ name }) => name),
  ).toEqual(['p50', 'p90', 'p99', 'max'].map((one) => `sidelight_nodejs_eventloop_lag_${one}_seconds`));
});
