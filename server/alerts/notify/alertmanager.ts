import { createHash } from 'node:crypto';
import type { AlertmanagerConfig } from '../../config/alerts-config.ts';
import type { KeptAlert } from '../../model/alert.ts';
import type { AlertReceiver } from './delivery-loop.ts';
import { DeliveryError, post } from './post.ts';

/** What an alert's receivers need besides the alert itself. */
export interface AlertSource {
  /** Alerts that are firing, and those that have ended lately. */
  alerts(): readonly KeptAlert[];
  /** Link to the dashboard at an alert's service and time; empty when nobody knows where the dashboard is. */
  link(labels: KeptAlert['labels'], at: number): string;
}

export interface AlertmanagerOptions {
  readonly config: AlertmanagerConfig;
  readonly source: AlertSource;
  readonly now: () => number;
  readonly resendMs?: number;
}

const RESEND_MS = 60_000;
/** An Alertmanager takes an alert for ended when it was not told of it for so many times. */
const RESENDS_UNTIL_ENDED = 4;
/** How long an ended alert is repeated. */
const REPEAT_ENDED_MS = 5 * 60_000;
const BATCH = 500;
/** It has taken the alerts of the batch that are right, and not the others: no reason to hold back the next batches. */
const REFUSED = 400;

/**
 * Tells one Alertmanager how alerts are, over its API v2: at every change, and every minute. What it is told is the
 * whole state, so that a restart of either side loses nothing, and nothing is told as new twice.
 * (https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml)
 */
export class AlertmanagerReceiver implements AlertReceiver {
  readonly everyMs: number;
  private readonly options: AlertmanagerOptions;
  private readonly url: string;
  /** When everything was taken last, Unix milliseconds: what ended since then was not told yet. */
  private toldAt: number | undefined;

  constructor(options: AlertmanagerOptions) {
    const { config, resendMs = RESEND_MS } = options;
    this.options = options;
    this.url = `${config.url.replace(/\/+$/, '')}/api/v2/alerts`;
    this.everyMs = resendMs;
  }

  async deliver(signal: AbortSignal): Promise<boolean> {
    const { now, source, config } = this.options;
    const at = now();
    const endedAfter = Math.min(at, this.toldAt ?? Number.NEGATIVE_INFINITY) - REPEAT_ENDED_MS;
    const alerts = source
      .alerts()
      .filter(({ state }) => state.phase === 'firing' || (state.phase === 'resolved' && state.since >= endedAfter));
    let refusal: DeliveryError | undefined;
    for (let from = 0; from < alerts.length; from += BATCH) {
      const told = alerts.slice(from, from + BATCH).map((alert) => this.told(alert, at));
      try {
        await post({ url: this.url, headers: config.headers, body: JSON.stringify(told), signal });
      } catch (error) {
        if (!(error instanceof DeliveryError) || error.status !== REFUSED) throw error;
        refusal ??= error;
      }
    }
    if (refusal) throw refusal;
    this.toldAt = at;
    return false;
  }

  private told({ labels, annotations, state, firedAt }: KeptAlert, now: number): Record<string, unknown> {
    const startsAt = firedAt ?? state.since;
    const endsAt = state.phase === 'firing' ? now + RESENDS_UNTIL_ENDED * this.everyMs : state.since;
    const generatorURL = this.options.source.link(labels, startsAt);
    return {
      labels,
      annotations,
      startsAt: new Date(startsAt).toISOString(),
      endsAt: new Date(endsAt).toISOString(),
      ...(generatorURL === '' ? {} : { generatorURL }),
    };
  }
}

/** Names a receiver where its address, which may hold a secret, must not stand. */
export function receiverKey(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 16);
}

/** An address without what may be secret in it: path and query. */
export function shownAddress(url: string): string {
  return new URL(url).origin;
}
