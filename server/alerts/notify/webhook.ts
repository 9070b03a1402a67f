import { createHmac } from 'node:crypto';
import type { WebhookConfig } from '../../config/alerts-config.ts';
import type { AlertEvent } from '../../model/alert.ts';
import { type AlertSource, receiverKey } from './alertmanager.ts';
import type { AlertReceiver } from './delivery-loop.ts';
import { DeliveryError, post } from './post.ts';

/** Where a webhook's events come from, and how far it has been told of them. */
export interface EventLog {
  /** Events after one, oldest first. */
  alertEvents(query: { readonly after: number; readonly most: number }): Promise<AlertEvent[]>;
  /** Undefined for a receiver that is new. */
  loadCursor(receiver: string): Promise<number | undefined>;
  saveCursor(receiver: string, event: number): Promise<void>;
  newestAlertEvent(): Promise<number>;
}

export interface WebhookOptions {
  readonly config: WebhookConfig;
  /** Signs each body; read anew for each, so that a key can be replaced. Undefined: nothing is signed. */
  readonly readSecret: (() => Promise<string>) | undefined;
  readonly events: EventLog;
  readonly link: AlertSource['link'];
  /** Events that the receiver will never take. */
  readonly onRefused: (error: DeliveryError, events: number) => void;
}

const BATCH = 100;
const READ = 500;
/** The receiver understood, and says that this very body is not for it: sending it again would stop all others. */
const REFUSALS: readonly number[] = [400, 413, 415, 422];

/**
 * Posts alerts that fired or ended to one address, in order, each until it was taken: how far that is stands in the
 * database, so that neither a dead receiver nor a restart loses one. What was under way when a side died may come twice.
 */
export class WebhookReceiver implements AlertReceiver {
  private readonly options: WebhookOptions;
  private readonly key: string;
  private cursor: number | undefined;

  constructor(options: WebhookOptions) {
    this.options = options;
    this.key = receiverKey(options.config.url);
  }

  async deliver(signal: AbortSignal): Promise<boolean> {
    const after = await this.position();
    const read = await this.options.events.alertEvents({ after, most: READ });
    const told = read.filter(({ phase }) => phase === 'firing' || phase === 'resolved');
    for (let from = 0; from < told.length; from += BATCH) {
      const batch = told.slice(from, from + BATCH);
      await this.postBatch(batch, signal);
      await this.moveTo(batch.at(-1)?.id ?? after);
    }
    await this.moveTo(read.at(-1)?.id ?? after);
    return read.length === READ;
  }

  /** A new receiver is told of what happens from now on. */
  private async position(): Promise<number> {
    const { events } = this.options;
    this.cursor ??= await events.loadCursor(this.key);
    if (this.cursor !== undefined) return this.cursor;
    const newest = await events.newestAlertEvent();
    await this.moveTo(newest);
    return newest;
  }

  private async moveTo(event: number): Promise<void> {
    if (event === this.cursor) return;
    await this.options.events.saveCursor(this.key, event);
    this.cursor = event;
  }

  private async postBatch(batch: readonly AlertEvent[], signal: AbortSignal): Promise<void> {
    const { config, readSecret, onRefused } = this.options;
    const body = JSON.stringify({ version: 1, events: batch.map((event) => this.told(event)) });
    const headers = { ...config.headers, ...(readSecret ? signature(await readSecret(), body) : {}) };
    try {
      await post({ url: config.url, headers, body, signal });
    } catch (error) {
      if (!(error instanceof DeliveryError) || !REFUSALS.includes(error.status)) throw error;
      onRefused(error, batch.length);
    }
  }

  private told(event: AlertEvent): Record<string, unknown> {
    const { id, at, phase, firedAt, labels, annotations, value, threshold, requests } = event;
    const link = this.options.link(labels, firedAt ?? at);
    const endsAt = phase === 'resolved' ? at : null;
    return {
      id,
      status: phase,
      labels,
      annotations,
      startsAt: firedAt ?? at,
      endsAt,
      value,
      threshold,
      requests,
      ...(link === '' ? {} : { link }),
    };
  }
}

function signature(secret: string, body: string): Record<string, string> {
  return { 'x-sidelight-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` };
}
