/** What the main thread and that of a receiver tell each other. */

import type { RemoteWriteConfig } from '../../config/remote-write-config.ts';
import type { LossReason } from './record-queue.ts';
import type { Round } from './round.ts';
import type { Metadata } from './write-request.ts';

/** Handed to the thread when it starts. */
export interface WorkerStart {
  readonly config: RemoteWriteConfig;
  /** Of the queue; undefined: memory only. */
  readonly folder: string | undefined;
  readonly userAgent: string;
  /** What the families are that it sends. */
  readonly metadata: readonly Metadata[];
}

export type ToWorker =
  | { readonly kind: 'round'; readonly round: Round }
  /** To end, after so long at most. */
  | { readonly kind: 'stop'; readonly graceMs: number };

/** Counts since the thread started. */
export interface Figures {
  readonly sent: number;
  readonly requests: { readonly taken: number; readonly failed: number; readonly refused: number };
  readonly dropped: Readonly<Record<DropReason, number>>;
  readonly pending: number;
  readonly queueBytes: number;
  readonly series: number;
  /** When the oldest of what is not sent was taken, Unix milliseconds; null when all is. */
  readonly oldest: number | null;
  /** Why the last request was not taken; empty when it was. */
  readonly failure: string;
  /** The newest request that was not taken, whatever came after it; null before. */
  readonly lastError: RequestError | null;
  /** Why the disk does not take what waits; empty when it does. */
  readonly disk: string;
}

export interface RequestError {
  /** Unix milliseconds. */
  readonly at: number;
  readonly reason: string;
}

/** `refused`: by the receiver, for good. */
export type DropReason = LossReason | 'refused';

export type FromWorker =
  /** A round is in the queue, or lost. */
  | { readonly kind: 'stored' }
  | { readonly kind: 'figures'; readonly figures: Figures }
  | { readonly kind: 'refused'; readonly reason: string; readonly samples: number }
  /** A round was lost because of a fault. */
  | { readonly kind: 'fault'; readonly reason: string };
