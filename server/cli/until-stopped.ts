import { setTimeout as delay } from 'node:timers/promises';
import type { Watch } from './stat-watch.ts';

/** What watching needs of a process: it stops at Ctrl-C, or when it is told to end. */
export function untilStopped(source: Pick<NodeJS.EventEmitter, 'once'>): Pick<Watch, 'stop' | 'sleep' | 'now'> {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM']) source.once(name, () => stopping.abort());
  return {
    stop: stopping.signal,
    sleep: (ms, stop) => delay(ms, undefined, { signal: stop }).catch(() => {}),
    now: () => new Date(),
  };
}
