/** What is known about the way to the collector. Pure: events in, state out; times are Unix milliseconds of the browser. */

export interface Connection {
  readonly stream: 'closed' | 'connecting' | 'open' | 'lost';
  /** When data last arrived, by the stream or by an answer; null before any did. */
  readonly lastGoodAt: number | null;
  /** Since when something has been wrong; null while nothing is. */
  readonly troubleSince: number | null;
  readonly startedAt: number;
}

export type ConnectionEvent = {
  readonly type: 'connecting' | 'opened' | 'ticked' | 'answered' | 'failed' | 'broke' | 'closed';
  readonly at: number;
};

export function unconnected(now: number): Connection {
  return { stream: 'closed', lastGoodAt: null, troubleSince: null, startedAt: now };
}

export function nextConnection(connection: Connection, { type, at }: ConnectionEvent): Connection {
  const { stream, troubleSince } = connection;
  switch (type) {
    case 'connecting':
      return { ...connection, stream: stream === 'lost' ? 'lost' : 'connecting' };
    case 'opened':
      return { ...connection, stream: 'open', troubleSince: null };
    case 'ticked':
      return { ...connection, stream: 'open', troubleSince: null, lastGoodAt: at };
    case 'answered':
      return { ...connection, lastGoodAt: at, troubleSince: stream === 'lost' ? troubleSince : null };
    case 'failed':
      return { ...connection, troubleSince: troubleSince ?? at };
    case 'broke':
      return { ...connection, stream: 'lost', troubleSince: troubleSince ?? at };
    case 'closed':
      return { ...connection, stream: 'closed', troubleSince: null };
  }
}

/**
 * `polling`: the stream is lost, yet answers arrive. `lost`: neither does. `closed`: nothing is asked for, since the
 * page is paused or hidden.
 */
export type Reach = 'connecting' | 'live' | 'polling' | 'lost' | 'closed';

export function reach({ stream, lastGoodAt, troubleSince }: Connection): Reach {
  if (troubleSince !== null) return lastGoodAt !== null && lastGoodAt > troubleSince ? 'polling' : 'lost';
  if (stream === 'closed' || stream === 'connecting') return stream;
  return stream === 'open' ? 'live' : 'lost';
}

/** Since when no data has come. */
export function silentSince({ lastGoodAt, startedAt }: Connection): number {
  return lastGoodAt ?? startedAt;
}

/** After how long without a tick an open stream counts as broken. */
export function patienceMs(scrapeIntervalMs: number): number {
  return Math.max(15_000, 3 * scrapeIntervalMs);
}

/** How long to wait before the next try: soon after the first break, then at a steady pace. */
export function retryDelayMs(failedTries: number): number {
  return failedTries === 0 ? 1000 : RETRY_MS;
}

export const RETRY_MS = 5000;
