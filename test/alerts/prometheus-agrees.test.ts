/**
 * The same series to Sidelight, as scrapes, and to Prometheus, as samples with the rules that `sidelight rules` prints:
 * after every evaluation both say the same of every alert. The series is a gauge, so that no difference comes from
 * Prometheus's extrapolated rates or its wider buckets.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { prometheusRuleFile } from '../../server/alerts/prometheus-rules.ts';
import { rules, Simulation, STEP } from './simulated.ts';

const ROUNDS = 40;
const YAML = `
  rules:
    - { name: AtOnce, signal: active_requests, above: 5, window: 10s }
    - { name: Below, signal: active_requests, below: 3, window: 10s, for: 20s }
    - { name: Lasting, signal: active_requests, above: 5, window: 10s, for: 30s }
    - { name: Kept, signal: active_requests, above: 5, window: 10s, keep_firing_for: 40s }
    - { name: Both, signal: active_requests, above: 5, window: 10s, for: 20s, keep_firing_for: 30s, severity: ticket, labels: { team: mesh } }
`;

/** Runs of values around the thresholds, some of them short. */
const series = fc
  .array(fc.tuple(fc.constantFrom(0, 3, 5, 6, 9), fc.integer({ min: 1, max: 6 })), {
    minLength: ROUNDS,
    maxLength: ROUNDS,
  })
  .map((runs) => runs.flatMap(([value, length]) => Array.from({ length }, () => value)).slice(0, ROUNDS));

/** What Sidelight says after each evaluation, in Prometheus's form. */
async function bySidelight(values: readonly number[]): Promise<string[][]> {
  const one = await new Simulation().start(YAML);
  one.setTargets('shop');
  const said: string[][] = [];
  for (const value of values) {
    await one.run(STEP, { shop: [{ gauges: { active_requests: value } }] });
    const shown = one.engine.alerts().filter(({ state }) => state.phase !== 'resolved');
    said.push(
      shown.map(({ labels, state }) => {
        const all = Object.entries({ ...labels, alertstate: state.phase }).sort(([a], [b]) => (a < b ? -1 : 1));
        return `ALERTS{${all.map(([name, text]) => `${name}=${JSON.stringify(text)}`).join(', ')}}`;
      }),
    );
  }
  return said;
}

function unitTest(values: readonly number[], said: readonly string[][]) {
  return {
    interval: '10s',
    input_series: [
      {
        series: 'mesh_active_requests{service="shop", direction="inbound", instance="shop-1"}',
        values: `_ ${values.join(' ')}`,
      },
    ],
    promql_expr_test: said.map((alerts, round) => ({
      expr: 'ALERTS',
      eval_time: `${(round + 1) * 10}s`,
      exp_samples: alerts.map((labels) => ({ labels, value: 1 })),
    })),
  };
}

test('threshold, for, keep_firing_for and the end are as in Prometheus', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidelight-agree-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'rules.yaml'), prometheusRuleFile({ rules: rules(YAML), buckets: [1] }));
  const all = fc.sample(series, { numRuns: 25, seed: 8 });
  const tests = [];
  let transitions = 0;
  for (const values of all) {
    const said = await bySidelight(values);
    transitions += said.filter((alerts, round) => alerts.join() !== (said[round - 1] ?? []).join()).length;
    tests.push(unitTest(values, said));
  }
  expect(transitions).toBeGreaterThan(100);
  const file = join(folder, 'tests.yaml');
  writeFileSync(file, JSON.stringify({ rule_files: ['rules.yaml'], evaluation_interval: '10s', tests }));
  const { error, status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  if (error) throw new Error(`promtool does not run (${error.message}): apt-get install prometheus`);
  expect([status, (stdout + stderr).slice(0, 3000)]).toEqual([0, expect.stringContaining('SUCCESS')]);
});
