import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SelfMetrics } from '../../server/telemetry/self-metrics.ts';
import { rendered } from '../exporter/rendered.ts';
import { liveWith } from '../live/live-targets.ts';
import { goodScrape } from '../store/records.ts';

const FOLDER = join(import.meta.dirname, '../../dashboards/prometheus');
const RULES = join(FOLDER, 'sidelight.rules.yaml');

test.each([
  ['check', RULES],
  ['test', join(FOLDER, 'sidelight.rules.test.yaml')],
])('promtool %s rules', (command, file) => {
  const { error, status, stdout, stderr } = spawnSync('promtool', [command, 'rules', file], { encoding: 'utf8' });
  if (error) throw new Error(`promtool does not run (${error.message}): apt-get install prometheus`);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('SUCCESS');
});

test('the rules use only metrics that /metrics has', async () => {
  const live = liveWith([goodScrape({ target: 'a:1', from: 0, to: 1000 })]);
  const own = await new SelfMetrics('0.0.0').registry.getMetricsAsJSON();
  const shown = rendered(live.all(), { own });
  const used = new Set(readFileSync(RULES, 'utf8').match(/(?<![:\w])(?:mesh|sidelight)_\w+(?=[{ ])/g));
  expect(used.size).toBeGreaterThanOrEqual(4);
  for (const metric of used) expect(shown).toMatch(new RegExp(`^${metric}[{ ]`, 'm'));
});
