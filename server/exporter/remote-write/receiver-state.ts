/** How it goes with one receiver, over all of its threads; what changes is logged, and nothing over and over. */

import type { Logger } from 'pino';
import { formatSize } from '../../model/size.ts';
import type { DropReason, Figures } from './messages.ts';
import type { RemoteWriteEvents } from './remote-writer.ts';

export interface ReceiverStateOptions {
  readonly name: string;
  readonly maxQueueBytes: number;
  readonly log: Logger;
  /** Warns without repeating itself. */
  readonly warnings: {
    warn(key: string, message: string, fields?: Record<string, unknown>): unknown;
    clear(key: string): boolean;
  };
  readonly now: () => number;
}

const NONE: Figures = {
  sent: 0,
  requests: { taken: 0, failed: 0, refused: 0 },
  dropped: { full: 0, damaged: 0, refused: 0 },
  pending: 0,
  queueBytes: 0,
  series: 0,
  oldest: null,
  failure: '',
  lastError: null,
  disk: '',
};
/** A receiver that fails for less is not worth a line when it works again. */
const SHORT_MS = 10_000;

export class ReceiverState implements RemoteWriteEvents {
  private readonly options: ReceiverStateOptions;
  /** Of threads that have ended. */
  private earlier = NONE;
  private current = NONE;
  private roundFailure = '';
  private droppedByThen: number | undefined;
  failingSince: number | null = null;
  /** Taken since the process started. */
  rounds = 0;

  constructor(options: ReceiverStateOptions) {
    this.options = options;
  }

  /** Counts since the process started. */
  get totals(): Figures {
    return sum(this.earlier, this.current);
  }

  /** What is wrong; empty when nothing is. */
  get message(): string {
    const { failure, disk } = this.current;
    const parts = [
      failure === '' ? '' : `it does not take samples: ${failure}`,
      disk === '' ? '' : `what waits can not be written to disk, memory has to do: ${disk}`,
      this.roundFailure === '' ? '' : `no samples were taken for it: ${this.roundFailure}`,
    ];
    return parts.filter((part) => part !== '').join('; ');
  }

  /** Another thread counts from nothing. */
  threadEnded(): void {
    this.earlier = { ...this.totals, pending: 0, queueBytes: 0, series: 0 };
    this.current = NONE;
  }

  figures(figures: Figures): void {
    const before = this.current;
    this.current = figures;
    this.tellFailure(figures.failure);
    this.tellLosses(before, figures);
    const { name, log } = this.options;
    if (before.disk === '' && figures.disk !== '')
      log.error(`the queue of remote write to ${name} can not be written: ${figures.disk}. Memory has to do`);
    if (before.disk !== '' && figures.disk === '') log.info(`the queue of remote write to ${name} is on disk again`);
  }

  refused(reason: string, samples: number): void {
    const { name, warnings } = this.options;
    warnings.warn(`${name} refused`, `remote write to ${name}: samples were refused for good`, { reason, samples });
  }

  roundFailed(reason: string): void {
    this.roundFailure = reason;
    const { name, warnings } = this.options;
    warnings.warn(`${name} round`, `remote write: no samples were taken for ${name}: ${reason}`);
  }

  roundTaken(): void {
    this.roundFailure = '';
    this.rounds++;
  }

  private tellFailure(failure: string): void {
    const { name, log, warnings, now } = this.options;
    if (failure !== '') {
      this.failingSince ??= now();
      warnings.warn(
        name,
        `remote write to ${name} fails: ${failure}; it is tried again, and samples wait in the queue`,
      );
      return;
    }
    if (this.failingSince === null) return;
    const isShort = now() - this.failingSince < SHORT_MS;
    this.failingSince = null;
    if (!isShort && warnings.clear(name)) log.info(`remote write to ${name} works again`);
  }

  /** Once when a queue begins to be too small, and once with the sum when all that is left has been sent. */
  private tellLosses(before: Figures, { dropped, oldest }: Figures): void {
    const { name, log, maxQueueBytes } = this.options;
    const lost = dropped.damaged - before.dropped.damaged;
    if (lost > 0) log.error(`the queue of remote write to ${name} was damaged on disk: ${lost} samples are lost`);
    if (dropped.full > before.dropped.full && this.droppedByThen === undefined) {
      this.droppedByThen = before.dropped.full;
      log.error(
        `the queue of remote write to ${name} is full (${formatSize(maxQueueBytes)}): the oldest samples are dropped, ${dropped.full - before.dropped.full} so far`,
      );
    }
    if (oldest !== null || this.droppedByThen === undefined) return;
    log.warn(
      `remote write to ${name}: ${dropped.full - this.droppedByThen} samples were dropped while its queue was full`,
    );
    this.droppedByThen = undefined;
  }
}

function sum(a: Figures, b: Figures): Figures {
  return {
    ...b,
    lastError: b.lastError ?? a.lastError,
    sent: a.sent + b.sent,
    requests: sums(a.requests, b.requests, ['taken', 'failed', 'refused']),
    dropped: sums<DropReason>(a.dropped, b.dropped, ['full', 'damaged', 'refused']),
  };
}

function sums<Key extends string>(
  a: Readonly<Record<Key, number>>,
  b: Readonly<Record<Key, number>>,
  keys: readonly Key[],
): Record<Key, number> {
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as Record<Key, number>;
}
