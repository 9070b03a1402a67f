import { expect, onTestFinished, test } from 'vitest';
import { goodScrape, identity } from '../store/records.ts';
import { NOW } from './meshes.ts';
import { startApi } from './running-api.ts';

const INSTANCES = 12;
const HOUR = 3_600_000;

const records = Array.from({ length: INSTANCES }, (_, index) =>
  goodScrape({
    target: `10.0.0.${index}:9901`,
    from: NOW - 60_000,
    to: NOW,
    identity: identity({ instance: `shop-${index}` }),
    flows: [{ counters: { '2xx': 5 }, latency: { 12: 5 } }],
  }),
);

test.each([
  ['with histograms', 'latency_p99', `from=${NOW - 3 * HOUR}&to=${NOW}&step=1s`, 400],
  ['the same without', 'request_rate', `from=${NOW - 3 * HOUR}&to=${NOW}&step=1s`, 200],
  ['with longer steps', 'latency_p99', `from=${NOW - 3 * HOUR}&to=${NOW}&step=10s`, 200],
])(
  'an answer that would not fit in memory is refused before it is worked out: %s',
  async (_, signal, times, status) => {
    const api = await startApi({ targets: [], records });
    onTestFinished(() => api.stop());
    const response = await fetch(`${api.url}/api/v1/query?signal=${signal}&by=instance&${times}`);
    const { error } = (await response.json()) as { error?: { code: string; message: string } };
    expect([response.status, error]).toEqual([
      status,
      status === 200
        ? undefined
        : {
            code: 'too_large',
            message: 'the answer has more than 100000 points: use a longer step, filter, or group by fewer labels',
          },
    ]);
    expect(api.failures).toEqual([]);
  },
);
