import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { AlertsConfig } from '../../config/alerts-config.ts';
import type { NewAlertEvent } from '../../model/alert.ts';
import { AlertmanagerReceiver, type AlertSource, receiverKey, shownAddress } from './alertmanager.ts';
import { type AlertReceiver, backOff, DeliveryLoop } from './delivery-loop.ts';
import { DeliveryError } from './post.ts';
import { type EventLog, WebhookReceiver } from './webhook.ts';

export interface ReceiversOptions {
  readonly source: AlertSource;
  readonly events: EventLog;
  readonly log: Logger;
  /** Warns without repeating itself. */
  readonly warnings: { warn(key: string, message: string): unknown; clear(key: string): boolean };
  readonly now: () => number;
  readonly random?: () => number;
  /** After each delivery that was tried. */
  readonly onDelivery: (kind: ReceiverKind, taken: boolean) => void;
}

export type ReceiverKind = 'alertmanager' | 'webhook';

/** Everybody that alerts are told to, each by itself. */
export class Receivers {
  private readonly options: ReceiversOptions;
  private loops: readonly DeliveryLoop[] = [];

  constructor(options: ReceiversOptions) {
    this.options = options;
  }

  /** Makes these the receivers, in place of those before. */
  async apply({ alertmanagers, webhooks }: Pick<AlertsConfig, 'alertmanagers' | 'webhooks'>): Promise<void> {
    await this.stop();
    const { source, events, now } = this.options;
    const managers = alertmanagers.map((config) =>
      this.loopOf('alertmanager', config.url, new AlertmanagerReceiver({ config, source, now })),
    );
    const hooks = webhooks.map((config) => {
      const { url, secretFile } = config;
      const readSecret = secretFile === undefined ? undefined : () => secretIn(secretFile);
      const onRefused = (error: DeliveryError, count: number) => this.refused(url, error, count);
      return this.loopOf(
        'webhook',
        url,
        new WebhookReceiver({ config, events, readSecret, link: source.link, onRefused }),
      );
    });
    this.loops = [...managers, ...hooks];
    for (const loop of this.loops) loop.start();
  }

  /** Something changed. */
  changed(events: readonly NewAlertEvent[]): void {
    for (const event of events) this.write(event);
    for (const loop of this.loops) loop.wake();
  }

  async stop(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
    this.loops = [];
  }

  private write({ rule, labels, annotations, phase, value, threshold, requests }: NewAlertEvent): void {
    const { log } = this.options;
    const fields = { labels, value, threshold, requests };
    const about = annotations.summary ?? '';
    if (phase === 'firing') log.warn(fields, `alert ${rule} fires${about === '' ? '' : `: ${about}`}`);
    if (phase === 'resolved') log.info(fields, `alert ${rule} has ended`);
  }

  private loopOf(kind: ReceiverKind, url: string, receiver: AlertReceiver): DeliveryLoop {
    const { log, warnings, onDelivery, random } = this.options;
    const key = receiverKey(url);
    const name = `${kind} ${shownAddress(url)}`;
    const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
    return new DeliveryLoop({
      receiver,
      backOff: backOff(random),
      onFailure(error) {
        onDelivery(kind, false);
        warnings.warn(key, `${name} was not told of alerts: ${reasonOf(error)}; it is tried again`);
      },
      onSuccess() {
        onDelivery(kind, true);
        if (warnings.clear(key)) log.info(`${name} is told of alerts again`);
      },
    });
  }

  private refused(url: string, error: DeliveryError, count: number): void {
    const alerts = count === 1 ? 'alert' : 'alerts';
    this.options.log.error(`webhook ${shownAddress(url)} refused ${count} ${alerts} for good: ${error.message}`);
  }
}

/** @throws DeliveryError where the key can't be read: nothing is sent unsigned. */
async function secretIn(file: string): Promise<string> {
  try {
    const secret = (await readFile(file, 'utf8')).trim();
    if (secret !== '') return secret;
  } catch (error) {
    throw new DeliveryError(
      `the key in ${file} can not be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
    );
  }
  throw new DeliveryError(`the file ${file} of the key is empty`);
}
