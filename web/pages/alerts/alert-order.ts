/** Order and search of alerts. Pure. */

import type { AlertItem } from '../../../server/api/contract.ts';
import { compareNames } from '../../format/names.ts';

/** Identity of an alert across refreshes. */
export function alertKey({ name, labels, state }: AlertItem): string {
  return JSON.stringify([name, state, Object.entries(labels).toSorted()]);
}

const ORDER: Readonly<Record<string, number>> = { firing: 0, pending: 1, resolved: 2 };

/** Firing ones first, then pending ones, then those that ended; the newest first. */
export function orderAlerts(alerts: readonly AlertItem[]): AlertItem[] {
  return alerts.toSorted(
    (a, b) => (ORDER[a.state] ?? 3) - (ORDER[b.state] ?? 3) || b.since - a.since || compareNames(a.name, b.name),
  );
}

/** Alerts of which every word of the search is in the name, state, severity, a label or an annotation. */
export function searchAlerts(alerts: readonly AlertItem[], search: string): AlertItem[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return alerts.filter((alert) => {
    const labels = Object.entries(alert.labels).map(([name, value]) => `${name}=${value}`);
    const text = [alert.name, alert.state, alert.severity, ...labels, ...Object.values(alert.annotations)];
    return words.every((word) => text.join(' ').toLowerCase().includes(word));
  });
}
