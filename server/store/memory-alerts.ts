import type { AlertEvent, KeptAlert } from '../model/alert.ts';
import { labelsKey } from '../model/labels.ts';
import { ALERT_EVENTS_MS, type AlertChange, type AlertStore, MAX_ALERT_EVENTS } from './store.ts';

/** Alerts that are gone with the process. */
export class MemoryAlerts implements AlertStore {
  private readonly alerts = new Map<string, KeptAlert>();
  private readonly cursors = new Map<string, number>();
  private events: AlertEvent[] = [];
  private newestEvent = 0;

  async loadAlerts(): Promise<KeptAlert[]> {
    return [...this.alerts.values()];
  }

  async saveAlerts({ kept, forgotten, events }: AlertChange): Promise<void> {
    for (const alert of forgotten) this.alerts.delete(keyOfAlert(alert));
    for (const alert of kept) this.alerts.set(keyOfAlert(alert), alert);
    for (const event of events) this.events.push({ ...event, id: ++this.newestEvent });
  }

  async alertEvents({ after, most }: { after: number; most: number }): Promise<AlertEvent[]> {
    return this.events.filter(({ id }) => id > after).slice(0, most);
  }

  async alertHistory({ from, to, most }: { from: number; to: number; most: number }): Promise<AlertEvent[]> {
    const within = this.events.filter(({ at }) => at >= from && at < to);
    return within.sort((a, b) => b.at - a.at || b.id - a.id).slice(0, most);
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
  }
}

function keyOfAlert({ rule, labels }: Pick<KeptAlert, 'rule' | 'labels'>): string {
  return `${rule} ${labelsKey(labels)}`;
}
