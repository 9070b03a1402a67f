import { beforeEach, expect, test } from 'vitest';
import { StoreState } from '../../server/collector-status.ts';
import { createLog } from '../../server/telemetry/log.ts';
import { SelfMetrics } from '../../server/telemetry/self-metrics.ts';

let lines: string[];
let state: StoreState;
let metrics: SelfMetrics;

beforeEach(() => {
  lines = [];
  metrics = new SelfMetrics('test');
  const output = { write: (line: string) => lines.push(line.replace(/^\S+ /, '').trimEnd()) };
  state = new StoreState(createLog({ level: 'info', format: 'text', output }), metrics, () => 7000);
});

test('threads that were lost are told of in the log once, and in the status and as a metric each', async () => {
  expect(state.threads).toEqual({ lost: 0, last: null });
  for (const message of ['it ran out', 'it ran out', 'it exited']) state.threadLost(message);
  expect(lines).toEqual(['ERROR it ran out', 'ERROR it exited']);
  expect(state.threads).toEqual({ lost: 3, last: { at: 7000, message: 'it exited' } });
  expect(await metrics.registry.getSingleMetricAsString('sidelight_store_threads_lost_total')).toMatch(/_total 3$/);
});
