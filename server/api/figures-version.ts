/** How long what was worked out from the newest figures holds. */

import type { Live } from '../live/live.ts';
import { ServiceDirectory } from '../live/services.ts';
import { slotMsOf } from '../store/tiers.ts';
import type { AlertsView } from './alerts.ts';

export interface FiguresParts {
  readonly live: Live;
  readonly alerts: Pick<AlertsView, 'counts'>;
  readonly intervalMs: () => number;
  readonly measuredTo: () => number;
  readonly now: () => number;
}

/**
 * Gives another text whenever answers about figures may be others: after a round of scrapes, an alert, or a step of time.
 * Alerts are looked at once in a turn of the event loop, however many ask.
 */
export function figuresVersion({ live, alerts, now, intervalMs, measuredTo }: FiguresParts): () => string {
  let counted: string | undefined;
  const counts = (): string => {
    if (counted === undefined) setImmediate(() => (counted = undefined)).unref();
    counted ??= [...alerts.counts()].map(([key, { firing, pending }]) => `${key} ${firing} ${pending}`).join('\n');
    return counted;
  };
  return () => `${live.revision}\n${Math.ceil(now() / slotMsOf(intervalMs()))}\n${measuredTo()}\n${counts()}`;
}

/** Made anew after a round of scrapes: the answers to all questions of a page share it. */
export function directoryOf(live: Live): () => ServiceDirectory {
  let known: { readonly revision: number; readonly directory: ServiceDirectory } | undefined;
  return () => {
    const { revision } = live;
    if (known?.revision !== revision) known = { revision, directory: new ServiceDirectory(live.all()) };
    return known.directory;
  };
}
