import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { AlertsConfig } from '../../config/alerts-config.ts';
import type { NewAlertEvent } from '../../model/alert.ts';
import { AlertmanagerReceiver, type AlertSource, receiverKey, shownAddress } from './alertmanager.ts';
import { backOff } from './delivery-loop.ts';
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

interface Receiver {
  start(): void;
  wake(): void;
  stop(): Promise<void>;
}

/** Everybody that alerts are told to, each by itself. */
export class Receivers {
  private readonly options: ReceiversOptions;
  private receivers: readonly Receiver[] = [];

  constructor(options: ReceiversOptions) {
    this.options = options;
  }

  /** Makes these the receivers, in place of those before. */
  async apply({ alertmanagers, webhooks }: Pick<AlertsConfig, 'alertmanagers' | 'webhooks'>): Promise<void> {
    await this.stop();
    const { source, events, now, random } = this.options;
    const managers = alertmanagers.map(
      (config) =>
        new AlertmanagerReceiver({
          config,
          source,
          now,
          backOff: backOff(random),
          ...this.told('alertmanager', config.url),
        }),
    );
    const hooks = webhooks.map((config) => {
      const { secretFile } = config;
      return new WebhookReceiver({
        config,
        events,
        readSecret: secretFile === undefined ? undefined : () => readSecret(secretFile),
        link: source.link,
        backOff: backOff(random),
        ...this.told('webhook', config.url),
      });
    });
    this.receivers = [...managers, ...hooks];
    for (const receiver of this.receivers) receiver.start();
  }

  /** Something changed. */
  changed(events: readonly NewAlertEvent[]): void {
    for (const event of events) this.write(event);
    for (const receiver of this.receivers) receiver.wake();
  }

  async stop(): Promise<void> {
    await Promise.all(this.receivers.map((receiver) => receiver.stop()));
    this.receivers = [];
  }

  private write({ rule, labels, annotations, phase, value, threshold, requests }: NewAlertEvent): void {
    const { log } = this.options;
    const fields = { labels, value, threshold, requests };
    const about = annotations.summary ?? '';
    if (phase === 'firing') log.warn(fields, `alert ${rule} fires${about === '' ? '' : `: ${about}`}`);
    if (phase === 'resolved') log.info(fields, `alert ${rule} has ended`);
  }

  private told(kind: ReceiverKind, url: string) {
    const { log, warnings, onDelivery } = this.options;
    const key = receiverKey(url);
    const name = `${kind} ${shownAddress(url)}`;
    const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
    return {
      onFailure(error: unknown): void {
        onDelivery(kind, false);
        warnings.warn(key, `${name} was not told of alerts: ${reasonOf(error)}; it is tried again`);
      },
      onSuccess(): void {
        onDelivery(kind, true);
        if (warnings.clear(key)) log.info(`${name} is told of alerts again`);
      },
      onRefused(error: DeliveryError, events: number): void {
        log.error(`${name} refused ${events} ${events === 1 ? 'alert' : 'alerts'} for good: ${error.message}`);
      },
    };
  }
}

/** @throws DeliveryError where the key can't be read: nothing is sent unsigned. */
async function readSecret(file: string): Promise<string> {
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
