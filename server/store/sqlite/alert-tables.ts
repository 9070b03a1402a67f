import type Database from 'better-sqlite3';
import type { AlertEvent, KeptAlert } from '../../model/alert.ts';
import { labelsKey } from '../../model/labels.ts';
import type { AlertChange } from '../store.ts';
import { prepared } from './prepared.ts';

/** Writes alerts, their events and how far receivers have been told. */
export class AlertTables {
  private readonly keep: Database.Statement;
  private readonly forget: Database.Statement;
  private readonly addEvent: Database.Statement;
  private readonly setCursor: Database.Statement;

  constructor(database: Database.Database) {
    this.keep = database.prepare('INSERT OR REPLACE INTO alerts (rule, labels, data) VALUES (?, ?, ?)');
    this.forget = database.prepare('DELETE FROM alerts WHERE rule = ? AND labels = ?');
    this.addEvent = database.prepare('INSERT INTO alert_events (at, data) VALUES (?, ?)');
    this.setCursor = database.prepare('INSERT OR REPLACE INTO alert_cursors (receiver, event) VALUES (?, ?)');
  }

  /** Within a transaction of the caller's. */
  save({ kept, forgotten, events }: AlertChange): void {
    for (const { rule, labels } of forgotten) this.forget.run(rule, labelsKey(labels));
    for (const alert of kept) this.keep.run(alert.rule, labelsKey(alert.labels), JSON.stringify(alert));
    for (const event of events) this.addEvent.run(event.at, JSON.stringify(event));
  }

  saveCursor(receiver: string, event: number): void {
    this.setCursor.run(receiver, event);
  }
}

interface EventRow {
  readonly id: number;
  readonly data: string;
}

/** Reads what {@link AlertTables} wrote. */
export class AlertReader {
  private readonly database: Database.Database;

  constructor(database: Database.Database) {
    this.database = database;
  }

  all(): KeptAlert[] {
    const rows = prepared(this.database, 'SELECT data FROM alerts ORDER BY rule, labels').pluck().all() as string[];
    return rows.map((data) => JSON.parse(data) as KeptAlert);
  }

  eventsAfter(after: number, most: number): AlertEvent[] {
    const select = prepared(this.database, 'SELECT id, data FROM alert_events WHERE id > ? ORDER BY id LIMIT ?');
    return eventsOf(select.all(after, most));
  }

  eventsBetween(from: number, to: number, most: number): AlertEvent[] {
    const select = prepared(
      this.database,
      'SELECT id, data FROM alert_events WHERE at >= ? AND at < ? ORDER BY at DESC, id DESC LIMIT ?',
    );
    return eventsOf(select.all(from, to, most));
  }

  newestEvent(): number {
    const select = prepared(this.database, "SELECT seq FROM sqlite_sequence WHERE name = 'alert_events'");
    return Number(select.pluck().get() ?? 0);
  }

  cursor(receiver: string): number | undefined {
    const event = prepared(this.database, 'SELECT event FROM alert_cursors WHERE receiver = ?').pluck().get(receiver);
    return typeof event === 'number' ? event : undefined;
  }
}

function eventsOf(rows: readonly unknown[]): AlertEvent[] {
  return (rows as EventRow[]).map(({ id, data }) => ({ ...(JSON.parse(data) as Omit<AlertEvent, 'id'>), id }));
}
