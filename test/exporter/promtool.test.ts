import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { SelfMetrics } from '../../server/telemetry/self-metrics.ts';
import { liveWith } from '../live/live-targets.ts';
import { failedScrape, goodScrape } from '../store/records.ts';
import { rendered } from './rendered.ts';

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What `promtool check metrics` has to say of an exposition. */
async function complaintsOf(exposition: string): Promise<string> {
  const promtool = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const missing = once(promtool, 'error').then(([error]) => {
    if (error.code === 'ENOENT') throw new Error('promtool is missing: apt-get install prometheus');
    throw error;
  });
  const ended = Promise.all([text(promtool.stdout), text(promtool.stderr), once(promtool, 'close')]);
  promtool.stdin.on('error', () => {});
  promtool.stdin.end(exposition);
  const [out, complaints, [code]] = await Promise.race([ended, missing]);
  return out + complaints + (code === 0 ? '' : `exit code ${code}`);
}

/** All that `/metrics` can show. */
async function exposition(level: 'service' | 'instance'): Promise<string> {
  const live = liveWith([
    goodScrape({
      target: '10.0.0.1:9901',
      from: 0,
      to: 1000,
      identity: { service: 'a "b" \\ c', namespace: 'prod', region: 'eu', zone: 'eu-1' },
      flows: [
        { counters: { '2xx': 5, '5xx': 1, max_duration: 1 }, gauges: { active_requests: 2 }, latency: { 0: 3, 70: 3 } },
        { direction: 'outbound', peer: 'cart', counters: { retries: 2, timeout: 1 }, gauges: { endpoints_total: 3 } },
      ],
      findings: { startedAt: 0, certificateExpiry: 1_800_000_000 },
    }),
    failedScrape('10.0.0.2:9901', 1000, 'nothing listens there'),
  ]);
  const metrics = new SelfMetrics('0.1.0');
  metrics.scraped({ error: '', durationMs: 3 });
  await metrics.timeStore(async () => {});
  metrics.setTargets(live);
  const own = await metrics.registry.getMetricsAsJSON();
  return rendered(live.all(), { level, buckets: BUCKETS, now: 5000, own });
}

test.each(['service', 'instance'] as const)(
  'promtool has nothing to say of /metrics at the level %s',
  async (level) => {
    const all = await exposition(level);
    expect(all).toContain('mesh_requests_total{');
    expect(all).toContain('sidelight_build_info{');
    expect(await complaintsOf(all)).toBe('');
  },
);

test('promtool would complain', async () => {
  expect(await complaintsOf('# TYPE requests counter\nrequests 1\n')).toContain('_total');
  expect(await complaintsOf('not metrics\n')).toContain('exit code');
});
