/** Increments pushed by OTLP, as a real Prometheus 3 adds them up. The cumulative ones: prometheus.test.ts. */

import { expect, onTestFinished, test, vi } from 'vitest';
import { Live } from '../../server/live/live.ts';
import { FlowTotals } from '../../server/model/flow-totals.ts';
import { type Pushing, pushing } from '../exporter/otlp/pushing.ts';
import { discovered } from '../live/live-targets.ts';
import { binsOf, counters, flowKey, gauges, goodScrape } from '../store/records.ts';
import { PATIENT, PROMETHEUS3, startOtlpReceiver } from './prometheus-run.ts';

const TARGET = '10.0.0.1:9901';

/** So many requests of 20 ms since the beginning, `more` of them in the last second. */
function scrape({ live }: Pushing, at: number, { total, more }: { total: number; more: number }): void {
  const latency = binsOf({ 20: total });
  const flowTotals = FlowTotals.of([
    { flow: flowKey({}), counters: counters({ '2xx': total }), gauges: gauges(), bins: latency },
  ]);
  const flows = [{ counters: { '2xx': more }, latency: { 20: more } }];
  live.apply([goodScrape({ target: TARGET, from: at - 1000, to: at, flows, findings: { flowTotals } })]);
}

const program = PROMETHEUS3;
if (program) {
  test('increments add up to the total', async () => {
    const prometheus = await startOtlpReceiver(program);
    onTestFinished(() => prometheus.stop());
    const live = new Live();
    live.setTargets([discovered(TARGET)]);
    const url = `${prometheus.url}/api/v1/otlp/v1/metrics`;
    const run = await pushing({ live, settings: { url, temporality: 'delta', timeoutMs: 30_000 } });
    const start = Date.now() - 10_000;
    let total = 0;
    for (const [i, more] of [5, 0, 7, 130].entries()) {
      total += more;
      scrape(run, start + i * 1000, { total, more });
      await run.push(start + i * 1000 + 500);
    }
    expect(run.outcomes).toEqual(Array(4).fill({ kind: 'accepted', rejected: 0, reason: '' }));
    await vi.waitFor(async () => {
      const [sum] = await prometheus.query('sum(mesh_requests_total)');
      const [samples] = await prometheus.query('histogram_count(sum(mesh_request_duration_seconds))');
      expect([sum?.value, samples?.value]).toEqual([total, total]);
    }, PATIENT);
  });
} else {
  test('NOT RUN: increments in Prometheus 3 (PROMETHEUS3 is not set)', () => {
    console.warn('Not run: increments by OTLP. The environment variable PROMETHEUS3 names no program of Prometheus 3.');
    expect(program).toBeUndefined();
  });
}
