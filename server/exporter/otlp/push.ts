/** Pushes metrics to a receiver of OTLP, one request after the other. */

import { Slices } from '../../measure/slices.ts';
import type { EncodedResource } from './mesh-resources.ts';
import type { Outcome, Sender } from './outcome.ts';

export interface PushOptions {
  readonly sender: Sender;
  /** Waits; rejects when the signal says so. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly now: () => number;
  readonly random: () => number;
  readonly onOutcome: (outcome: Outcome, points: number) => void;
}

export interface PushLimits {
  /** Once this time has passed nothing is tried again: Unix milliseconds. */
  readonly until: number;
  readonly signal: AbortSignal;
}

/** What became of a push. */
export interface PushResult {
  /** Whether the receiver answered all of it. */
  readonly isDone: boolean;
  /** Not to be asked again before: Unix milliseconds. */
  readonly notBefore: number;
}

/** Receivers of gRPC take 4 MiB at once unless told otherwise. */
const BATCH_BYTES = 1_048_576;

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** A receiver may ask for as much. */
const LONGEST_ASKED_MS = 600_000;

/** Sends all resources. Those that are not taken are told again at the next push, so nothing is kept for it. */
export async function push(
  resources: Iterator<EncodedResource | undefined>,
  options: PushOptions,
  limits: PushLimits,
): Promise<PushResult> {
  let batch: EncodedResource[] = [];
  let bytes = 0;
  const slices = new Slices();
  for (let next = resources.next(); !next.done; next = resources.next()) {
    const resource = next.value;
    if (resource && bytes + resource.bytes.length > BATCH_BYTES && batch.length > 0) {
      const result = await deliver(batch, options, limits);
      if (!result.isDone) return result;
      [batch, bytes] = [[], 0];
    }
    if (resource) {
      batch.push(resource);
      bytes += resource.bytes.length;
    }
    await slices.pause();
  }
  return batch.length === 0 ? DONE : deliver(batch, options, limits);
}

const DONE: PushResult = { isDone: true, notBefore: 0 };

/** Sends a request again until it is answered for good or the time is over. */
async function deliver(
  batch: readonly EncodedResource[],
  { sender, wait, now, random, onOutcome }: PushOptions,
  { until, signal }: PushLimits,
): Promise<PushResult> {
  const body = Buffer.concat(batch.map((resource) => resource.bytes));
  const points = batch.reduce((sum, resource) => sum + resource.points, 0);
  for (let failures = 1; ; failures++) {
    const outcome = await sender.send(body, signal);
    if (signal.aborted && outcome.kind === 'retry') return { isDone: false, notBefore: 0 };
    onOutcome(outcome, points);
    if (outcome.kind === 'accepted') for (const { accept } of batch) accept();
    if (outcome.kind !== 'retry') return DONE;
    const backOff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 20)) * (0.5 + random() / 2);
    const waitMs = Math.max(backOff, Math.min(LONGEST_ASKED_MS, outcome.afterMs ?? 0));
    if (now() + waitMs >= until)
      return { isDone: false, notBefore: outcome.afterMs === undefined ? 0 : now() + waitMs };
    await wait(waitMs, signal).catch(() => {});
    if (signal.aborted) return { isDone: false, notBefore: 0 };
  }
}
