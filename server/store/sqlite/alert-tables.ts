import type Database from 'better-sqlite3';
import type { AlertEvent, AlertFiring, KeptAlert, NewAlertEvent } from '../../model/alert.ts';
import { type Labels, labelsKey } from '../../model/labels.ts';
import type { AlertChange, FiringQuery } from '../store.ts';
import { prepared } from './prepared.ts';

/** Times that alerts fired. `labels` is a `labelsKey`, '' a service or namespace that there is none of. */
const FIRINGS = `
  CREATE TABLE alert_firings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL, labels TEXT NOT NULL, fired_at INTEGER NOT NULL,
    ended_at INTEGER, service TEXT NOT NULL, namespace TEXT NOT NULL, data TEXT NOT NULL,
    UNIQUE (rule, labels, fired_at)
  );
  CREATE INDEX alert_firings_by_time ON alert_firings (fired_at, ended_at, service, namespace);
`;

/** Makes the table of firings, from the events that a file of an earlier version has. */
export function createFirings(database: Database.Database): void {
  database.exec(FIRINGS);
  const firings = new FiringTable(database);
  const events = database.prepare('SELECT id, data FROM alert_events WHERE id > ? ORDER BY id LIMIT ?');
  let after: number | undefined = 0;
  while (after !== undefined) {
    const rows = events.all(after, EVENTS_AT_ONCE) as EventRow[];
    for (const { data } of rows) firings.keep(JSON.parse(data) as NewAlertEvent);
    after = rows.at(-1)?.id;
  }
}

const EVENTS_AT_ONCE = 1000;

/** What of a firing is in no column of its own. */
type FiringData = Pick<AlertFiring, 'annotations' | 'value' | 'threshold' | 'requests'>;

class FiringTable {
  private readonly put: Database.Statement;
  private readonly endOthers: Database.Statement;

  constructor(database: Database.Database) {
    this.endOthers = database.prepare(
      `UPDATE alert_firings SET ended_at = max(fired_at, ?)
         WHERE rule = ? AND labels = ? AND ended_at IS NULL AND fired_at <> ?`,
    );
    this.put = database.prepare(
      `INSERT INTO alert_firings (rule, labels, fired_at, ended_at, service, namespace, data) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (rule, labels, fired_at) DO UPDATE SET ended_at = coalesce(excluded.ended_at, ended_at)`,
    );
  }

  /** One that ended is the same as when it fired. */
  keep({ at, phase, firedAt, rule, labels, annotations, value, threshold, requests }: NewAlertEvent): void {
    if (firedAt === null || (phase !== 'firing' && phase !== 'resolved')) return;
    const data: FiringData = { annotations, value, threshold, requests };
    const { service = '', namespace = '' } = labels;
    const endedAt = phase === 'resolved' ? at : null;
    this.put.run(rule, labelsKey(labels), firedAt, endedAt, service, namespace, JSON.stringify(data));
  }

  /** None goes on that an alert knows nothing of, even where the event of its end was lost. */
  endUnknown({ rule, labels, state, firedAt }: KeptAlert): void {
    const current = state.phase === 'firing' ? firedAt : null;
    this.endOthers.run(state.since, rule, labelsKey(labels), current ?? -1);
  }
}

/** Writes alerts, their events and how far receivers have been told. */
export class AlertTables {
  private readonly keep: Database.Statement;
  private readonly forget: Database.Statement;
  private readonly addEvent: Database.Statement;
  private readonly firings: FiringTable;
  private readonly setCursor: Database.Statement;

  constructor(database: Database.Database) {
    this.keep = database.prepare('INSERT OR REPLACE INTO alerts (rule, labels, data) VALUES (?, ?, ?)');
    this.forget = database.prepare('DELETE FROM alerts WHERE rule = ? AND labels = ?');
    this.addEvent = database.prepare('INSERT INTO alert_events (at, data) VALUES (?, ?)');
    this.firings = new FiringTable(database);
    this.setCursor = database.prepare('INSERT OR REPLACE INTO alert_cursors (receiver, event) VALUES (?, ?)');
  }

  /** Within a transaction of the caller's. */
  save({ kept, forgotten, events }: AlertChange): void {
    for (const { rule, labels } of forgotten) this.forget.run(rule, labelsKey(labels));
    for (const alert of kept) this.keep.run(alert.rule, labelsKey(alert.labels), JSON.stringify(alert));
    for (const event of events) {
      this.addEvent.run(event.at, JSON.stringify(event));
      this.firings.keep(event);
    }
    for (const alert of kept) this.firings.endUnknown(alert);
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

  firings({ from, to, service, namespace, most }: FiringQuery): AlertFiring[] {
    const select = this.database.prepare(
      `SELECT rule, labels, fired_at AS firedAt, ended_at AS endedAt, data FROM alert_firings
         WHERE fired_at < ? AND (ended_at IS NULL OR ended_at > ?) ${among('service', service)} ${among('namespace', namespace)}
         ORDER BY fired_at DESC, id DESC LIMIT ?`,
    );
    const rows = select.all(to, from, ...(service ?? []), ...(namespace ?? []), most) as FiringRow[];
    return rows.map(({ labels, data, ...row }) => ({
      ...row,
      labels: Object.fromEntries(JSON.parse(labels) as [string, string][]) as Labels,
      ...(JSON.parse(data) as FiringData),
    }));
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

interface FiringRow {
  readonly rule: string;
  readonly labels: string;
  readonly firedAt: number;
  readonly endedAt: number | null;
  readonly data: string;
}

/** The rest of a condition that allows some values of a column. */
function among(column: string, values: readonly string[] | undefined): string {
  return values ? `AND ${column} IN (${values.map(() => '?').join(', ')})` : '';
}

function eventsOf(rows: readonly unknown[]): AlertEvent[] {
  return (rows as EventRow[]).map(({ id, data }) => ({ ...(JSON.parse(data) as Omit<AlertEvent, 'id'>), id }));
}
