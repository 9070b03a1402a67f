/** Entry of a receiver's own thread: keeps its queue, and sends what is in it. */

import { parentPort, workerData } from 'node:worker_threads';
import { Drain } from './drain.ts';
import type { DropReason, Figures, FromWorker, RequestError, ToWorker, WorkerStart } from './messages.ts';
import { packed } from './packed.ts';
import { type Outcome, Receiver } from './receiver.ts';
import { RecordQueue } from './record-queue.ts';
import type { Round } from './round.ts';
import { RoundWriter } from './round-writer.ts';
import { metadataRequest } from './write-request.ts';

const FIGURES_MS = 200;
/** As Prometheus. */
const METADATA_MS = 60_000;

const { config, folder, userAgent, metadata } = workerData as WorkerStart;
const now = Date.now;
const sent = { samples: 0, taken: 0, failed: 0, refused: 0 };
const dropped: Record<DropReason, number> = { full: 0, damaged: 0, refused: 0 };
let [series, failure, disk] = [0, '', ''];
let oldest: number | null = null;
let lastError: RequestError | null = null;
let timer: NodeJS.Timeout | undefined;
let metadataAt = Number.NEGATIVE_INFINITY;

const queue = new RecordQueue({
  folder,
  maxBytes: config.maxQueueBytes,
  now,
  onLoss(reason, samples) {
    dropped[reason] += samples;
    tellFigures();
  },
  onDisk(error) {
    disk = error === undefined ? '' : reasonOf(error);
    tellFigures();
  },
});
const writer = new RoundWriter();
const receiver = new Receiver({ config, userAgent, now });
const drain = new Drain({
  ...config,
  queue,
  random: Math.random,
  send,
  onOutcome,
  onRound(at) {
    oldest = at;
    tellFigures();
  },
  onIdle() {
    oldest = null;
    tellFigures();
  },
});

async function send(body: Uint8Array, stop: AbortSignal): Promise<Outcome> {
  const outcome = await receiver.send(body, stop);
  if (outcome.kind === 'taken' && now() - metadataAt >= METADATA_MS) {
    metadataAt = now();
    await receiver.send(packed(metadataRequest(metadata)), stop);
  }
  return outcome;
}

function onOutcome(outcome: Outcome, samples: number): void {
  sent[outcome.kind]++;
  if (outcome.kind === 'taken') sent.samples += samples;
  if (outcome.kind === 'refused') {
    dropped.refused += samples;
    tell({ kind: 'refused', reason: outcome.reason, samples });
  }
  failure = outcome.kind === 'failed' ? outcome.reason : '';
  if (outcome.kind !== 'taken') lastError = { at: now(), reason: outcome.reason };
  tellFigures();
}

function takeIn(round: Round): void {
  try {
    if (round.isFresh) queue.beginAnew();
    writer.take(round);
    series = round.samples;
    queue.append({ at: round.at, samples: writer.samples }, (isFirst) => writer.encode(isFirst));
    drain.rouse();
  } catch (error) {
    queue.beginAnew();
    tell({ kind: 'fault', reason: reasonOf(error) });
  }
  writer.done();
  tell({ kind: 'stored' });
  tellFigures();
}

function recover(): void {
  try {
    writer.recover(queue.newestRecords());
  } catch {
    // What can't be read there is told once it is to be sent.
  }
}

function figures(): Figures {
  const { samples, ...requests } = sent;
  const { pending, bytes } = queue;
  return {
    sent: samples,
    requests: { ...requests },
    dropped: { ...dropped },
    pending,
    queueBytes: bytes,
    series,
    oldest,
    failure,
    lastError,
    disk,
  };
}

/** Soon, and not too often. */
function tellFigures(): void {
  timer ??= setTimeout(() => {
    timer = undefined;
    tell({ kind: 'figures', figures: figures() });
  }, FIGURES_MS);
}

function tell(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function stop(graceMs: number): Promise<void> {
  await drain.stop(graceMs);
  clearTimeout(timer);
  tell({ kind: 'figures', figures: figures() });
  await receiver.close();
  queue.close();
  parentPort?.close();
}

recover();
drain.start();
tellFigures();
parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'round') takeIn(message.round);
  else void stop(message.graceMs);
});
