import { expect } from 'vitest';
import type { Hop } from '../../examples/meshes/hop.ts';
import type { Figures } from '../../server/api/contract.ts';

const QUANTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 } as const;

/**
 * Samples are not below the application's own delay and not above what the caller waited, give or take the
 * millisecond that Envoy cuts off: so a percentile lies between the bins of the two.
 */
export function expectLatencyWithin(figures: Pick<Figures, 'latencyMs'>, { delaysMs, observedMs }: Hop): void {
  for (const [name, q] of Object.entries(QUANTILES)) {
    const shown = figures.latencyMs[name as keyof typeof QUANTILES] ?? Number.NaN;
    expect([name, shown]).toEqual([name, expect.any(Number)]);
    expect(shown).toBeGreaterThanOrEqual(binOf(quantileOf(delaysMs, q) - 1)[0]);
    expect(shown).toBeLessThanOrEqual(binOf(quantileOf(observedMs, q) + 1)[1]);
  }
}

/** Bounds of the bin that Envoy puts a latency in: whole milliseconds, two significant digits. */
function binOf(ms: number): [lower: number, upper: number] {
  const whole = Math.max(0, Math.floor(ms));
  const width = 10 ** Math.max(0, String(whole).length - 2);
  const lower = Math.floor(whole / width) * width;
  return [lower, lower + width];
}

function quantileOf(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)] ?? 0;
}
