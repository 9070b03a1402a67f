/**
 * Sends what is in a queue, oldest first. Messages of one round go side by side, those of the next only after all of
 * them, so that the samples of every series arrive in order. A message is done when it was taken or refused for good.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { packed } from './packed.ts';
import type { Outcome } from './receiver.ts';
import type { QueuedRecord, RecordQueue } from './record-queue.ts';
import { RoundReader } from './round-reader.ts';

export interface DrainOptions {
  readonly queue: RecordQueue;
  readonly send: (body: Uint8Array, stop: AbortSignal) => Promise<Outcome>;
  readonly maxSamplesPerSend: number;
  readonly maxShards: number;
  readonly random: () => number;
  /** After every answer, or its lack. `samples` are those of the message. */
  readonly onOutcome: (outcome: Outcome, samples: number) => void;
  /** The round is next that was taken at that time, Unix milliseconds. */
  readonly onRound: (at: number) => void;
  /** Nothing more is in the queue. */
  readonly onIdle: () => void;
}

const FIRST_BACK_OFF_MS = 30;
const LONGEST_BACK_OFF_MS = 5000;

/** While a backlog is sent, at most half of a processor is used for it. */
const REST_FOR_WORK = 1;

export class Drain {
  private readonly options: DrainOptions;
  private readonly reader = new RoundReader();
  private readonly stopping = new AbortController();
  /** Of all lanes, in a row. */
  private failures = 0;
  /** No message goes before, by the clock of `performance`. */
  private notBefore = 0;
  private restUntil = 0;
  private running: Promise<void> = Promise.resolve();
  private wake: () => void = () => {};
  private stopWaiting: () => void = () => {};
  private isIdle = true;

  constructor(options: DrainOptions) {
    this.options = options;
  }

  start(): void {
    this.isIdle = false;
    this.running = this.run();
  }

  /** Something is in the queue. */
  rouse(): void {
    this.isIdle = false;
    this.wake();
  }

  /** Waits so long for what is left to be sent, unless the receiver fails; then gives up what is under way. */
  async stop(graceMs: number): Promise<void> {
    if (!this.isIdle && this.failures === 0) {
      const idle = new Promise<void>((resolve) => {
        this.stopWaiting = resolve;
      });
      await Promise.race([idle, delay(graceMs)]);
    }
    this.stopping.abort();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    const { queue } = this.options;
    while (!this.stopping.signal.aborted) {
      const record = queue.next();
      if (record) await this.sendRecord(record);
      else await this.rest();
    }
  }

  private async rest(): Promise<void> {
    this.isIdle = true;
    this.stopWaiting();
    this.options.onIdle();
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }

  private async sendRecord(record: QueuedRecord): Promise<void> {
    const { queue, onRound } = this.options;
    const started = performance.now();
    try {
      this.reader.read(record.payload, record.index === 0);
    } catch {
      queue.skipRest();
      return;
    }
    if (record.sent === Number.POSITIVE_INFINITY) return;
    onRound(record.at);
    await this.pause(started, record);
    await this.sendMessages(record);
    if (this.stopping.signal.aborted || queue.isDropped(record)) return;
    queue.acknowledge(record, Number.POSITIVE_INFINITY);
  }

  private async sendMessages(record: QueuedRecord): Promise<void> {
    const { queue, maxSamplesPerSend, maxShards } = this.options;
    const messages = this.reader.messages({ from: record.sent, most: maxSamplesPerSend });
    const underWay = new Set<number>();
    let done = record.sent;
    const lane = async (): Promise<void> => {
      for (;;) {
        const started = performance.now();
        const message = messages.next().value;
        if (!message) return;
        const { end, samples } = message;
        const from = end - samples;
        underWay.add(from);
        const body = packed(message.body);
        await this.pause(started, record);
        if (!(await this.deliver(body, { record, samples }))) return;
        underWay.delete(from);
        done = Math.max(done, end);
        queue.acknowledge(record, Math.min(done, ...underWay));
      }
    };
    await Promise.all(Array.from({ length: maxShards }, lane));
  }

  /** @returns whether it is done with; else all is to end. */
  private async deliver(body: Uint8Array, of: { record: QueuedRecord; samples: number }): Promise<boolean> {
    const { queue, send, onOutcome } = this.options;
    const { signal } = this.stopping;
    for (;;) {
      await this.wait(this.notBefore - performance.now());
      if (signal.aborted || queue.isDropped(of.record)) return false;
      const outcome = await send(body, signal);
      if (signal.aborted && outcome.kind === 'failed') return false;
      this.failures = outcome.kind === 'failed' ? this.failures + 1 : 0;
      onOutcome(outcome, of.samples);
      if (outcome.kind !== 'failed') return true;
      if (outcome.afterMs > 0) this.notBefore = performance.now() + outcome.afterMs;
      await this.wait(backOffMs(this.failures, this.options.random()));
    }
  }

  /** After work on a backlog that began then. */
  private async pause(started: number, { samples }: QueuedRecord): Promise<void> {
    if (this.options.queue.pending <= samples) return;
    const now = performance.now();
    this.restUntil = Math.max(this.restUntil, now) + (now - started) * REST_FOR_WORK;
    await this.wait(this.restUntil - now);
  }

  private async wait(ms: number): Promise<void> {
    if (ms > 0) await delay(ms, undefined, { signal: this.stopping.signal }).catch(() => {});
  }
}

/** By chance between nothing and a bound that doubles. @param failures in a row, from 1 on. @param chance from 0 to 1. */
export function backOffMs(failures: number, chance: number): number {
  return chance * Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** Math.min(failures - 1, 20));
}
