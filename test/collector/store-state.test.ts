import { beforeEach, expect, test } from 'vitest';
import { StoreState } from '../../server/collector-status.ts';
import { StoreThreadError } from '../../server/store/store.ts';
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

test('what only comes of a thread that was lost is no trouble of its own in the log', () => {
  const message = 'the thread that writes ended (it ran out of memory) and is started anew';
  state.threadLost(message);
  const error = new StoreThreadError(`${message}: ask again`);
  state.upkeepFailed(error);
  state.settled([], { error, waiting: 1, dropped: 0 });
  state.upkeepFailed(error);
  expect([lines, state.message]).toEqual([[`ERROR ${message}`], expect.stringContaining(message)]);
  state.settled([], undefined);
  state.upkeepDone();
  expect(lines.slice(1)).toEqual([
    'INFO  rounds can be stored again after 0s: nothing is lost',
    'INFO  upkeep of the store works again',
  ]);
});
