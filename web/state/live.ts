/** Follows the collector's event stream and says when the page should ask again. */

import { type Signal, signal } from '@preact/signals';
import type { Tick } from '../../server/api/contract.ts';
import {
  type Connection,
  type ConnectionEvent,
  nextConnection,
  patienceMs,
  retryDelayMs,
  unconnected,
} from './connection.ts';

export interface StreamHandlers {
  opened(): void;
  ticked(tick: Tick): void;
  broke(): void;
}

/** The parts of the browser that the stream needs. */
export interface LiveParts {
  /** Opens the event stream and returns what closes it. */
  openStream(handlers: StreamHandlers): () => void;
  /** Calls back once after a while and returns what prevents it. */
  after(ms: number, callback: () => void): () => void;
  now(): number;
}

export interface Live {
  readonly connection: Signal<Connection>;
  readonly latestTick: Signal<Tick | null>;
  /** Starts to follow; `refresh` asks for everything at once, as on coming back to a hidden tab. */
  start(options: { refresh: boolean }): void;
  /** Stops asking for anything. */
  stop(): void;
  /** Is called whenever what is shown should be asked for again; returns what ends that. */
  onRefresh(listener: () => void): () => void;
  /** Tells how a request went. */
  report(event: 'answered' | 'failed'): void;
}

const ASSUMED_INTERVAL_MS = 15_000;

/** At most one stream and one timer exist at any time. */
export function createLive({ openStream, after, now }: LiveParts): Live {
  const connection = signal(unconnected(now()));
  const latestTick = signal<Tick | null>(null);
  const listeners = new Set<() => void>();
  let closeStream = () => {};
  let cancelTimer = () => {};
  let failedTries = 0;

  const tell = (type: ConnectionEvent['type']) => {
    connection.value = nextConnection(connection.peek(), { type, at: now() });
  };
  const refresh = () => {
    for (const listener of listeners) listener();
  };
  const wait = (ms: number, callback: () => void) => {
    cancelTimer();
    cancelTimer = after(ms, callback);
  };
  const awaitTick = () => wait(patienceMs(latestTick.peek()?.intervalMs ?? ASSUMED_INTERVAL_MS), broke);

  function connect() {
    tell('connecting');
    awaitTick();
    closeStream = openStream({ opened, ticked, broke });
  }
  function opened() {
    const wasLost = connection.peek().stream === 'lost';
    failedTries = 0;
    tell('opened');
    awaitTick();
    if (wasLost) refresh();
  }
  function ticked(tick: Tick) {
    latestTick.value = tick;
    tell('ticked');
    awaitTick();
    refresh();
  }
  function broke() {
    closeStream();
    tell('broke');
    wait(retryDelayMs(failedTries), () => {
      failedTries += 1;
      connect();
      refresh();
    });
  }

  return {
    connection,
    latestTick,
    start(options) {
      closeStream();
      connect();
      if (options.refresh) refresh();
    },
    stop() {
      closeStream();
      cancelTimer();
      failedTries = 0;
      tell('closed');
    },
    onRefresh(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    report: tell,
  };
}

/** The stream as browsers have it. Its own way of trying again is not used: it gives up on an HTTP error. */
export function openEventStream(path: string, { opened, ticked, broke }: StreamHandlers): () => void {
  const source = new EventSource(path);
  source.addEventListener('open', opened);
  source.addEventListener('error', broke);
  source.addEventListener('tick', (event: MessageEvent<string>) => {
    const tick = readTick(event.data);
    if (tick) ticked(tick);
  });
  return () => source.close();
}

function readTick(data: string): Tick | null {
  try {
    return JSON.parse(data) as Tick;
  } catch {
    return null;
  }
}
