import { beforeEach, describe, expect, test } from 'vitest';
import type { Tick } from '../../../server/api/contract.ts';
import { reach } from '../../../web/state/connection.ts';
import { createLive, type Live, type StreamHandlers } from '../../../web/state/live.ts';

const TICK: Tick = { at: 5, intervalMs: 5000, targets: { up: 1, down: 0, total: 1 }, alerts: { firing: 0 } };

describe('the event stream', () => {
  let streams: { handlers: StreamHandlers; closed: boolean }[];
  let timers: { ms: number; callback: () => void; cancelled: boolean }[];
  let refreshes: number;
  let live: Live;

  const stream = () => streams[streams.length - 1]?.handlers;
  const open = () => streams.filter(({ closed }) => !closed).length;
  const waiting = () => timers.filter(({ cancelled }) => !cancelled);
  const fire = () => {
    const timer = waiting()[0];
    if (!timer) throw new Error('no timer waits');
    timer.cancelled = true;
    timer.callback();
    return timer.ms;
  };

  beforeEach(() => {
    [streams, timers, refreshes] = [[], [], 0];
    live = createLive({
      openStream: (handlers) => {
        const entry = { handlers, closed: false };
        streams.push(entry);
        return () => {
          entry.closed = true;
        };
      },
      after: (ms, callback) => {
        const timer = { ms, callback, cancelled: false };
        timers.push(timer);
        return () => {
          timer.cancelled = true;
        };
      },
      now: () => 0,
    });
    live.onRefresh(() => {
      refreshes += 1;
    });
    live.start({ refresh: false });
  });

  test('a tick refreshes, opening does not', () => {
    stream()?.opened();
    expect(refreshes).toBe(0);
    stream()?.ticked(TICK);
    expect(refreshes).toBe(1);
    expect(live.latestTick.value).toEqual(TICK);
    expect(reach(live.connection.value)).toBe('live');
  });

  test('a lost stream is tried after 1 s, then every 5 s, asking each time; coming back asks once', () => {
    stream()?.opened();
    stream()?.broke();
    expect([open(), fire(), open(), refreshes]).toEqual([0, 1000, 1, 1]);
    stream()?.broke();
    expect([fire(), refreshes]).toEqual([5000, 2]);
    stream()?.broke();
    expect([fire(), refreshes]).toEqual([5000, 3]);
    stream()?.opened();
    expect([refreshes, open(), reach(live.connection.value)]).toEqual([4, 1, 'live']);
  });

  test('an open stream without ticks counts as lost after three intervals', () => {
    stream()?.opened();
    stream()?.ticked({ ...TICK, intervalMs: 20_000 });
    expect(fire()).toBe(60_000);
    expect([open(), reach(live.connection.value)]).toEqual([0, 'lost']);
  });

  test('stopped, it asks for nothing; started again, it asks at once', () => {
    stream()?.opened();
    live.stop();
    expect([open(), waiting().length]).toEqual([0, 0]);
    live.start({ refresh: true });
    expect([open(), refreshes]).toEqual([1, 1]);
  });
});
