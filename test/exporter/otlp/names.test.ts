import { expect, test } from 'vitest';
import { FLOW_FAMILIES, SIDECAR_FAMILIES } from '../../../server/exporter/mesh-families.ts';
import { otlpName } from '../../../server/exporter/otlp/names.ts';
import { SelfMetrics } from '../../../server/telemetry/self-metrics.ts';

/** As Prometheus names what it is sent (https://prometheus.io/docs/guides/opentelemetry/), without its rarer units. */
function inPrometheus({ name, unit }: { name: string; unit: string }, type: unknown): string {
  const suffix = { s: '_seconds', By: '_bytes', '': '' }[unit.replace(/\{.*\}/, '')];
  return `${name.replaceAll('.', '_')}${suffix}${type === 'counter' ? '_total' : ''}`;
}

test('Prometheus gives every metric the name that it has at /metrics', async () => {
  const own = await new SelfMetrics('1').registry.getMetricsAsJSON();
  const families = [
    ...FLOW_FAMILIES,
    ...SIDECAR_FAMILIES,
    ...own.map(({ name, type }) => ({ name, type: String(type) })),
  ];
  expect(families.length).toBeGreaterThan(40);
  for (const { name, type } of families)
    expect(inPrometheus(otlpName({ name, type: type as 'counter' }), type)).toBe(name);
});

test('every metric of the mesh has a name of its own', () => {
  for (const family of [...FLOW_FAMILIES, ...SIDECAR_FAMILIES])
    expect(otlpName(family).name).toMatch(/^mesh\.[a-z_.]+$/);
});
