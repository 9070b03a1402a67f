/** What happened while a chart's lines went their way: alerts that fired, and sidecars that started. Pure. */

import type { AlertFiringItem, TargetStatus } from '../../server/api/contract.ts';
import type { Subject } from '../api.ts';
import { dateTime } from '../format/time.ts';
import type { ChartData } from './chart-data.ts';

export interface ChartEvent {
  readonly kind: 'alert' | 'start';
  /** Unix milliseconds; null while it lasts. A start has no length. */
  readonly from: number;
  readonly to: number | null;
  /** Such as `SlowService fired`. */
  readonly title: string;
  /** What else there is to say; may be empty. */
  readonly words: string;
}

type Of = Pick<AlertFiringItem, 'labels'>;

/** Whether an alert is about a subject: a service's are those of its instances too. */
export function isAbout({ labels }: Of, { service, namespace, instance }: Subject): boolean {
  if (labels.service !== service || (labels.namespace ?? namespace) !== namespace) return false;
  return instance === undefined || labels.instance === undefined || labels.instance === instance;
}

/** Alerts of a subject that fired. */
export function alertEvents(firings: readonly AlertFiringItem[], subject: Subject): ChartEvent[] {
  return firings
    .filter((firing) => isAbout(firing, subject))
    .map(({ name, firedAt, resolvedAt, valueText, thresholdText }) => ({
      kind: 'alert',
      from: firedAt,
      to: resolvedAt,
      title: `${name} fired`,
      words: [
        valueText === '' ? '' : `${valueText} against ${thresholdText}`,
        resolvedAt === null ? 'still firing' : `ended ${dateTime(resolvedAt)}`,
      ]
        .filter(Boolean)
        .join(', '),
    }));
}

/** Starts of a subject's sidecars, as far as the collector knows of them. */
export function startEvents(targets: readonly TargetStatus[], { instance }: Pick<Subject, 'instance'>): ChartEvent[] {
  return targets
    .filter(({ labels }) => instance === undefined || labels.instance === instance)
    .flatMap(({ labels, startedAt, restarts }) => {
      const name = labels.instance ?? labels.address ?? 'a sidecar';
      const again = restarts.map((at) => start(at, `${name} restarted`));
      return startedAt === null || restarts.includes(startedAt)
        ? again
        : [start(startedAt, `${name} started`), ...again];
    });
}

function start(from: number, title: string): ChartEvent {
  return { kind: 'start', from, to: from, title, words: '' };
}

/** Those that reach into the time that a chart shows, the earliest first. */
export function eventsWithin(
  events: readonly ChartEvent[],
  { from, to }: Pick<ChartData, 'from' | 'to'>,
): ChartEvent[] {
  return events
    .filter((event) => event.from < to && (event.to ?? Number.POSITIVE_INFINITY) >= from)
    .toSorted((a, b) => a.from - b.from);
}

/** Those that began in a step; in the first one also those that had begun before and lasted. */
export function eventsAt({ times, stepMs, events = [] }: ChartData, step: number): ChartEvent[] {
  const start = times[step];
  if (start === undefined) return [];
  return events.filter(({ from }) => from < start + stepMs && (step === 0 || from >= start));
}

/** `14:03:15 SlowService fired (812 ms against 500 ms, still firing)`. */
export function eventInWords({ from, title, words }: ChartEvent): string {
  return `${dateTime(from)} ${title}${words === '' ? '' : ` (${words})`}`;
}
