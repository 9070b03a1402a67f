/** One receiver as the main thread sees it: rounds are taken here and kept and sent by a thread of its own. */

import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { RemoteWriteConfig } from '../../config/remote-write-config.ts';
import { Slices } from '../../measure/slices.ts';
import { compileSampleFilter } from '../sample-filter.ts';
import type { Figures, FromWorker, ToWorker, WorkerStart } from './messages.ts';
import { type RoundInput, RoundTaker, type RoundTakerOptions } from './take-round.ts';

/** How rounds are to be made, by the configuration of the exporter. */
export type RoundForm = Pick<RoundTakerOptions, 'level' | 'buckets' | 'seriesLimit' | 'ownLabels'>;

export interface RemoteWriterOptions extends Omit<WorkerStart, 'config'> {
  readonly config: RemoteWriteConfig;
  readonly form: RoundForm;
  readonly now: () => number;
  readonly events: RemoteWriteEvents;
}

/** What is worth telling about; does not throw. */
export interface RemoteWriteEvents {
  figures(figures: Figures): void;
  refused(reason: string, samples: number): void;
  /** A round was not taken, or was lost. */
  roundFailed(reason: string): void;
  roundTaken(): void;
}

/** Rounds that the thread has not put into its queue yet. */
const MOST_WAITING = 2;
const RESTART_MS = 5000;
const WAIT_FOR_END_MS = 500;

export class RemoteWriter {
  readonly config: RemoteWriteConfig;
  private readonly options: RemoteWriterOptions;
  private form: RoundForm;
  private taker: RoundTaker;
  private worker: Worker;
  private waiting = 0;
  private lastAt = 0;
  private isTaking = false;
  private isStopping = false;
  private ended: Promise<unknown> = Promise.resolve();

  constructor(options: RemoteWriterOptions) {
    this.options = options;
    this.config = options.config;
    this.form = options.form;
    this.taker = this.newTaker();
    this.worker = this.startWorker();
  }

  /** Makes rounds in another form from now on. */
  configure(form: RoundForm): void {
    if (JSON.stringify(form) === JSON.stringify(this.form)) return;
    this.form = form;
    this.taker = this.newTaker();
  }

  /** Takes a round and hands it over; not while another is taken. Never rejects. @param gather what it is taken of. */
  async tick(gather: () => Promise<Omit<RoundInput, 'at'>>): Promise<void> {
    const { now, events } = this.options;
    const at = now();
    if (this.isTaking || this.isStopping || at <= this.lastAt) return;
    if (this.waiting >= MOST_WAITING) {
      events.roundFailed('its thread is behind, on a slow disk or a busy machine');
      return;
    }
    this.isTaking = true;
    try {
      if (await this.take({ ...(await gather()), at })) events.roundTaken();
    } catch (error) {
      this.taker = this.newTaker();
      events.roundFailed(error instanceof Error ? error.message : String(error));
    } finally {
      this.isTaking = false;
    }
  }

  /** Ends the thread; what has not been sent by then stays in the queue. */
  async stop(graceMs: number): Promise<void> {
    this.isStopping = true;
    this.post({ kind: 'stop', graceMs });
    await Promise.race([this.ended, delay(graceMs + WAIT_FOR_END_MS)]);
    await this.worker.terminate();
  }

  /** Forgets what has not been sent, once it has stopped. */
  async removeQueue(): Promise<void> {
    const { folder } = this.options;
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  /** @returns whether it was handed over; not where another form is wanted by now. */
  private async take(input: RoundInput): Promise<boolean> {
    const { taker } = this;
    const slices = new Slices();
    const work = taker.take(input);
    for (;;) {
      const { done, value: round } = work.next();
      if (done) {
        if (this.isStopping || taker !== this.taker) return false;
        this.lastAt = input.at;
        this.waiting++;
        const { sets, series, gone, values, histograms } = round;
        const buffers = [sets, series, gone, values, histograms].map(({ buffer }) => buffer as ArrayBuffer);
        this.worker.postMessage({ kind: 'round', round } satisfies ToWorker, buffers);
        return true;
      }
      await slices.pause();
    }
  }

  private newTaker(): RoundTaker {
    const { keep, drop, sendNativeHistograms, externalLabels } = this.options.config;
    const filter = compileSampleFilter({ keep, drop });
    return new RoundTaker({ ...this.form, filter, isNative: sendNativeHistograms, externalLabels });
  }

  private startWorker(): Worker {
    const { config, folder, userAgent, metadata, events } = this.options;
    const start: WorkerStart = { config, folder, userAgent, metadata };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: start });
    this.waiting = 0;
    worker.on('message', (message: FromWorker) => this.told(message));
    worker.on('error', (error) => {
      events.roundFailed(`its thread ended: ${error instanceof Error ? error.message : String(error)}`);
    });
    this.ended = new Promise<void>((resolve) => {
      worker.once('exit', () => {
        resolve();
        if (!this.isStopping) setTimeout(() => this.startAgain(), RESTART_MS).unref();
      });
    });
    return worker;
  }

  private startAgain(): void {
    if (this.isStopping) return;
    this.worker = this.startWorker();
    this.taker = this.newTaker();
  }

  private told(message: FromWorker): void {
    const { events } = this.options;
    if (message.kind === 'stored') this.waiting--;
    else if (message.kind === 'figures') events.figures(message.figures);
    else if (message.kind === 'refused') events.refused(message.reason, message.samples);
    else {
      this.taker = this.newTaker();
      events.roundFailed(message.reason);
    }
  }

  private post(message: ToWorker): void {
    this.worker.postMessage(message);
  }
}
