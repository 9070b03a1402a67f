/** Follows the objects of one kind: a list in pages, then a watch from where the list stood, for as long as it runs. */

import { setTimeout as pause } from 'node:timers/promises';
import { BackgroundLoop } from '../model/background-loop.ts';
import type { Surroundings } from './discoverer.ts';
import type { ApiServer } from './kubernetes-api.ts';
import { ApiError, type Asked, statusError, UnreachableError } from './kubernetes-error.ts';
import { at, textAt } from './kubernetes-pod.ts';

/** Takes what the watch sees. A list that is not completed has no end(); the next one begins anew. */
export interface ObjectSink {
  begin(): void;
  item(object: unknown): void;
  /** The list is complete: what it did not hold is gone. */
  end(): void;
  changed(object: unknown): void;
  deleted(object: unknown): void;
  /** Empty when all is well. */
  health(error: string): void;
}

export interface WatchTiming {
  /** A watch ends after this long, or up to half as much again, so that a silent connection is soon noticed. */
  readonly watchSeconds: number;
  /** A watch that is silent for this much longer is given up. */
  readonly graceMs: number;
  /** Longest time for a page of a list. */
  readonly pageMs: number;
  /** First and longest pause after failures. */
  readonly backOffMs: { readonly first: number; readonly longest: number };
  /** Pause after a refusal for good (403). */
  readonly deniedMs: number;
}

export const WATCH_TIMING: WatchTiming = {
  watchSeconds: 60,
  graceMs: 15_000,
  pageMs: 30_000,
  backOffMs: { first: 250, longest: 10_000 },
  deniedMs: 10_000,
};

export interface WatchOptions {
  readonly api: ApiServer;
  readonly asked: Asked;
  readonly labelSelector?: string;
  /** Media types to ask for. */
  readonly accept: { readonly list: string; readonly watch: string };
  readonly timing: WatchTiming;
  readonly surroundings: Surroundings;
  readonly sink: ObjectSink;
}

/** As kubectl and client-go ask. */
const PAGE_SIZE = '500';
const MAX_PAGES = 10_000;
/** A watch that ends sooner than this is not asked for again at once. */
const SHORTEST_WATCH_MS = 1000;

/** Watches from one place that may fail, before all is listed anew. */
const FAILED_WATCHES = 3;

const GONE = 410;
const DENIED = 403;

export class ObjectWatch {
  private readonly options: WatchOptions;
  private readonly loop = new BackgroundLoop((stopped) => this.run(stopped));
  /** Where the next watch begins; empty when a list is needed. */
  private version = '';
  private failures = 0;

  constructor(options: WatchOptions) {
    this.options = options;
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.version === '') await this.list();
        await this.watch();
      } catch (error) {
        if (!signal.aborted) await this.failed(error);
      }
    }
  }

  /**
   * After a refusal, or when nothing else helps, all is listed anew; after a broken connection the watch goes on where
   * it stood, and that it broke is told only when it can't be had again at once.
   */
  private async failed(error: unknown): Promise<void> {
    const { sink, timing } = this.options;
    const { status, message, retryAfterMs } = error instanceof ApiError ? error : new ApiError(String(error));
    const isBreak = error instanceof UnreachableError && this.failures === 0 && this.version !== '';
    if (status !== 0 || this.failures >= FAILED_WATCHES) this.version = '';
    if (status !== GONE && !isBreak) sink.health(message);
    await this.pause(status === DENIED ? timing.deniedMs : retryAfterMs);
  }

  private async pause(atLeastMs = 0): Promise<void> {
    const { timing, surroundings } = this.options;
    const { first, longest } = timing.backOffMs;
    const backOff = Math.min(longest, first * 2 ** Math.min(this.failures++, 20));
    const random = surroundings.random();
    const jittered = Math.max(backOff * (0.5 + random), atLeastMs * (1 + random / 10));
    await pause(jittered, undefined, { signal: this.loop.stopped }).catch(() => undefined);
  }

  private async list(): Promise<void> {
    const { api, sink, asked, timing, accept } = this.options;
    sink.begin();
    let token = '';
    for (let pages = 1; ; pages++) {
      const path = this.path({ limit: PAGE_SIZE, ...(token === '' ? {} : { continue: token }) });
      const request = { path, accept: accept.list, timeoutMs: timing.pageMs, signal: this.loop.stopped };
      const page = await api.list({ ...request, asked: { ...asked, verb: 'list' } }, (object) => sink.item(object));
      const version = textAt(at(page, 'metadata'), 'resourceVersion');
      if (version === '')
        throw new ApiError('the answer is not a Kubernetes list: is it the API server that is asked?');
      token = textAt(at(page, 'metadata'), 'continue');
      if (token === '') {
        this.version = version;
        return sink.end();
      }
      if (pages === MAX_PAGES)
        throw new ApiError(`the list of ${asked.resource} does not end after ${MAX_PAGES} pages`);
    }
  }

  private async watch(): Promise<void> {
    const { api, asked, timing, accept, surroundings, sink } = this.options;
    const seconds = Math.round(timing.watchSeconds * (1 + surroundings.random() / 2));
    const path = this.path({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: this.version,
      timeoutSeconds: String(seconds),
    });
    const request = {
      path,
      accept: accept.watch,
      timeoutMs: seconds * 1000 + timing.graceMs,
      signal: this.loop.stopped,
    };
    const from = surroundings.now();
    await api.watch(
      { ...request, asked: { ...asked, verb: 'watch' } },
      () => sink.health(''),
      (event) => this.take(event),
    );
    if (surroundings.now() - from >= SHORTEST_WATCH_MS) this.failures = 0;
    else await this.pause();
  }

  private take(event: unknown): void {
    const { sink, asked } = this.options;
    const object = at(event, 'object');
    const type = textAt(event, 'type');
    if (type === 'ERROR') throw statusError(Number(at(object, 'code')) || 500, object, { ...asked, verb: 'watch' });
    if (type === 'ADDED' || type === 'MODIFIED') sink.changed(object);
    else if (type === 'DELETED') sink.deleted(object);
    this.version = textAt(at(object, 'metadata'), 'resourceVersion') || this.version;
    this.failures = 0;
  }

  private path(query: Readonly<Record<string, string>>): string {
    const { asked, labelSelector } = this.options;
    const { resource, namespace } = asked;
    const folder = namespace === '' ? '' : `namespaces/${encodeURIComponent(namespace)}/`;
    const selector = labelSelector ? { labelSelector } : {};
    return `/api/v1/${folder}${resource}?${new URLSearchParams({ ...query, ...selector })}`;
  }
}
