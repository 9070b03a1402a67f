import type { AlertEvent, AlertFiring, KeptAlert, NewAlertEvent } from '../model/alert.ts';
import { labelsKey } from '../model/labels.ts';
import {
  ALERT_EVENTS_MS,
  ALERT_FIRINGS_MS,
  type AlertChange,
  type AlertStore,
  type FiringQuery,
  MAX_ALERT_EVENTS,
  MAX_ALERT_FIRINGS,
} from './store.ts';

/** Alerts that are gone with the process. */
export class MemoryAlerts implements AlertStore {
  private readonly alerts = new Map<string, KeptAlert>();
  private readonly cursors = new Map<string, number>();
  private events: AlertEvent[] = [];
  private readonly firings = new Map<string, AlertFiring>();
  /** Keys of firings that go on, by alert. */
  private readonly open = new Map<string, readonly string[]>();
  private newestEvent = 0;

  async loadAlerts(): Promise<KeptAlert[]> {
    return [...this.alerts.values()];
  }

  async saveAlerts({ kept, forgotten, events }: AlertChange): Promise<void> {
    for (const alert of forgotten) this.alerts.delete(keyOfAlert(alert));
    for (const alert of kept) this.alerts.set(keyOfAlert(alert), alert);
    for (const event of events) {
      this.events.push({ ...event, id: ++this.newestEvent });
      this.keepFiring(event);
    }
    for (const alert of kept) this.endUnknown(alert);
  }

  private keepFiring(event: NewAlertEvent): void {
    const { at, phase, firedAt, rule, labels, annotations, value, threshold, requests } = event;
    if (firedAt === null || (phase !== 'firing' && phase !== 'resolved')) return;
    const alert = keyOfAlert(event);
    const key = `${firedAt} ${alert}`;
    const known = this.firings.get(key);
    const endedAt = phase === 'resolved' ? at : (known?.endedAt ?? null);
    const first = known ?? { rule, labels, annotations, firedAt, value, threshold, requests };
    this.firings.set(key, { ...first, endedAt });
    if (endedAt === null) this.open.set(alert, [...new Set([...(this.open.get(alert) ?? []), key])]);
  }

  /** None goes on that an alert knows nothing of, even where the event of its end was lost. */
  private endUnknown(alert: KeptAlert): void {
    const { phase, since } = alert.state;
    const alertKey = keyOfAlert(alert);
    const current = phase === 'firing' ? `${alert.firedAt} ${alertKey}` : '';
    const open = this.open.get(alertKey) ?? [];
    for (const key of open) {
      const firing = this.firings.get(key);
      if (key === current || !firing) continue;
      this.firings.set(key, { ...firing, endedAt: firing.endedAt ?? Math.max(firing.firedAt, since) });
    }
    if (open.includes(current)) this.open.set(alertKey, [current]);
    else this.open.delete(alertKey);
  }

  async alertEvents({ after, most }: { after: number; most: number }): Promise<AlertEvent[]> {
    return this.events.filter(({ id }) => id > after).slice(0, most);
  }

  async alertHistory({ from, to, most }: { from: number; to: number; most: number }): Promise<AlertEvent[]> {
    const within = this.events.filter(({ at }) => at >= from && at < to);
    return within.sort((a, b) => b.at - a.at || b.id - a.id).slice(0, most);
  }

  async alertFirings({ from, to, service, namespace, most }: FiringQuery): Promise<AlertFiring[]> {
    const within = [...this.firings.values()].filter(
      ({ firedAt, endedAt, labels }) =>
        firedAt < to &&
        (endedAt === null || endedAt > from) &&
        (service?.includes(labels.service ?? '') ?? true) &&
        (namespace?.includes(labels.namespace ?? '') ?? true),
    );
    return within.sort((a, b) => b.firedAt - a.firedAt).slice(0, most);
  }

  async newestAlertEvent(): Promise<number> {
    return this.newestEvent;
  }

  async loadCursor(receiver: string): Promise<number | undefined> {
    return this.cursors.get(receiver);
  }

  async saveCursor(receiver: string, event: number): Promise<void> {
    this.cursors.set(receiver, event);
  }

  protected forgetEvents(now: number): void {
    this.events = this.events.filter(({ at }) => at >= now - ALERT_EVENTS_MS).slice(-MAX_ALERT_EVENTS);
    let spare = this.firings.size - MAX_ALERT_FIRINGS;
    for (const [key, { endedAt }] of this.firings)
      if (spare-- > 0 || (endedAt !== null && endedAt < now - ALERT_FIRINGS_MS)) this.firings.delete(key);
  }
}

function keyOfAlert({ rule, labels }: Pick<KeptAlert, 'rule' | 'labels'>): string {
  return `${rule} ${labelsKey(labels)}`;
}
