import { expect, test } from 'vitest';
import { SelfMetrics } from '../../server/telemetry/self-metrics.ts';

test.each([1, 255, 256, 1000])('%d scrapes are told, each of them once', async (count) => {
  const metrics = new SelfMetrics('1.2.3');
  for (let i = 0; i < count; i++)
    metrics.scraped({ error: i % 10 === 3 ? 'no' : '', durationMs: i % 2 === 0 ? 2 : 70 });
  const failed = Array.from({ length: count }, (_, i) => i % 10 === 3).filter(Boolean).length;
  const slow = Math.floor(count / 2);
  for (let time = 0; time < 2; time++) {
    const text = await metrics.registry.metrics();
    expect(text).toContain(`sidelight_scrapes_total{result="good"} ${count - failed}\n`);
    expect(text).toContain(`sidelight_scrapes_total{result="failed"} ${failed}\n`);
    expect(text).toContain(`sidelight_scrape_duration_seconds_count ${count}\n`);
    expect(text).toContain(`sidelight_scrape_duration_seconds_bucket{le="0.005"} ${count - slow}\n`);
    expect(text).toContain(`sidelight_scrape_duration_seconds_bucket{le="0.1"} ${count}\n`);
  }
});
