import type Database from 'better-sqlite3';
import type { Interval } from '../../model/spread.ts';
import { EntryIds } from './entry-ids.ts';
import { entryId, type LogEntry, positionOfEntry, RowHeads, rowOfEntry } from './log-row.ts';

export interface LogRow extends LogEntry {
  readonly id: number;
}

/** Entries of one unit. */
export interface UnitEntries {
  /** Ends of the first one and of the one that came last. */
  readonly t1: number;
  readonly lastT1: number;
  /** Of their records. */
  readonly bytes: number;
  /** Whether they are of a target, and not of a service. */
  readonly isTarget: boolean;
}

/**
 * Where in the log what is, in memory: rows only ever come at its end and go at its beginning, so that whoever follows it
 * reads nothing twice, and the file needs no index of it. Entries that are in blocks already are not told.
 */
export class LogIndex {
  private readonly statements: ReturnType<typeof prepare>;
  private readonly onAdded: (entry: LogRow) => void;
  private rows: RowHeads[] = [];
  private readonly byUnit = new Map<number, EntryIds>();
  /** Entries that are to be added to services, by service, those that were added not yet taken out. */
  private readonly byService = new Map<number, EntryIds>();
  private readonly sealed = new Map<number, number>();
  private lastSealing = 0;
  private newestRow = 0;
  private isKnown = false;
  /** Where the earliest entry of a target begins that came since {@link takeEarliest}; undefined where that isn't known. */
  private earliest: number | undefined;

  /** `onAdded` is told of entries that come after the first {@link refresh}. */
  constructor(database: Database.Database, onAdded: (entry: LogRow) => void = () => {}) {
    this.statements = prepare(database);
    this.onAdded = onAdded;
  }

  forget(): void {
    this.rows = [];
    for (const map of [this.byUnit, this.byService, this.sealed]) map.clear();
    this.lastSealing = 0;
    this.newestRow = 0;
    this.isKnown = false;
    this.earliest = undefined;
  }

  /**
   * Where the earliest entry of a target begins that came since the last time, whether it is in blocks or not; infinity
   * where none did. Undefined the first time, and where some may have come and gone unseen.
   */
  takeEarliest(): number | undefined {
    const { earliest } = this;
    this.earliest = Number.POSITIVE_INFINITY;
    return earliest;
  }

  /** To be called first in every transaction. */
  refresh(): void {
    const first = this.statements.first.get();
    if (this.isKnown && typeof first === 'number' && first > this.newestRow + 1) this.forget();
    for (const [id, unit, entry] of this.statements.sealings.iterate(this.lastSealing) as Iterable<number[]>)
      this.seal(unit ?? 0, entry ?? 0, id ?? 0);
    for (const [id, heads] of this.statements.after.iterate(this.newestRow) as Iterable<[number, Uint8Array]>)
      this.add(new RowHeads(id, heads));
    this.dropBefore(typeof first === 'number' ? first : this.newestRow + 1);
    this.isKnown = true;
  }

  private add(row: RowHeads): void {
    this.rows.push(row);
    this.newestRow = row.id;
    for (let position = 0; position < row.count; position++) {
      const entry = row.entry(position);
      const { id, unit, feeds } = entry;
      if (feeds > 0 && this.earliest !== undefined) this.earliest = Math.min(this.earliest, entry.t0);
      if (id <= (this.sealed.get(unit) ?? 0)) continue;
      listOf(this.byUnit, unit).add(entry, row.size(position));
      if (feeds > 0) listOf(this.byService, feeds).add(entry, 0);
      if (this.isKnown) this.onAdded(entry);
    }
  }

  /** Entries of a unit up to this one are in blocks. */
  private seal(unit: number, entry: number, sealing: number): void {
    this.lastSealing = sealing;
    this.sealed.set(unit, Math.max(entry, this.sealed.get(unit) ?? 0));
    const list = this.byUnit.get(unit);
    if (!list) return;
    list.dropUpTo(entry, (id) => this.row(id)?.size(positionOfEntry(id)) ?? 0);
    if (list.length === 0) this.byUnit.delete(unit);
  }

  private dropBefore(first: number): void {
    let count = 0;
    while ((this.rows[count]?.id ?? first) < first) count++;
    if (count === 0) return;
    this.rows.splice(0, count);
    const end = entryId(first, 0);
    for (const [unit, entry] of this.sealed) if (entry < end) this.sealed.delete(unit);
  }

  /** Those that reach into a time, in the order in which they came. */
  of(unit: number, time: Interval = ALWAYS): LogRow[] {
    return this.addTo([], unit, time);
  }

  /** The same, added to others. */
  addTo(found: LogRow[], unit: number, time: Interval): LogRow[] {
    return this.addIn(found, this.byUnit.get(unit), time);
  }

  has(unit: number): boolean {
    return this.byUnit.has(unit);
  }

  units(): IterableIterator<number> {
    return this.byUnit.keys();
  }

  ofUnit(unit: number): UnitEntries | undefined {
    const list = this.byUnit.get(unit);
    const id = list?.first ?? 0;
    const row = this.row(id);
    if (!list || !row) return undefined;
    const position = positionOfEntry(id);
    const last = list.at(list.length - 1);
    const lastT1 = this.row(last)?.t1(positionOfEntry(last)) ?? 0;
    return { t1: row.t1(position), lastT1, bytes: list.bytes, isTarget: row.feeds(position) > 0 };
  }

  /** Entries that are to be added to a service and were not yet: those after `closed`. */
  feeding(service: number, closed: number): LogRow[] {
    return this.addFeeding([], { service, closed }, ALWAYS);
  }

  /** The same, added to others. */
  addFeeding(found: LogRow[], { service, closed }: { service: number; closed: number }, time: Interval): LogRow[] {
    const list = this.byService.get(service);
    list?.dropUpTo(closed, () => 0);
    return this.addIn(found, list, time);
  }

  services(): IterableIterator<number> {
    return this.byService.keys();
  }

  /** Entries up to these, by service, were added. */
  close(closed: ReadonlyMap<number, number>): void {
    for (const [service, list] of this.byService) list.dropUpTo(closed.get(service) ?? 0, () => 0);
  }

  /** How many scrapes there are that are in no block yet, and when the oldest began. */
  extent(): { readonly scrapes: number; readonly oldest: number | null } {
    let scrapes = 0;
    let oldest = Number.POSITIVE_INFINITY;
    for (const list of this.byUnit.values()) {
      const first = this.entry(list.first ?? 0);
      if (first) oldest = Math.min(oldest, first.t0);
      if (first && first.feeds > 0) scrapes += list.length;
    }
    return { scrapes, oldest: oldest === Number.POSITIVE_INFINITY ? null : oldest };
  }

  /** The first entry that is not in blocks; undefined where there is none. */
  get firstNeeded(): number | undefined {
    let first: number | undefined;
    for (const list of this.byUnit.values())
      if (list.first !== undefined) first = Math.min(list.first, first ?? list.first);
    return first;
  }

  /** Row of the newest entry; 0 where there never was one. */
  get newest(): number {
    return this.newestRow;
  }

  heads(id: number): RowHeads | undefined {
    return this.row(id);
  }

  /** Rows in the file, in order, whether they are in blocks or not; the first so many. */
  first(most: number): readonly RowHeads[] {
    return this.rows.slice(0, most);
  }

  /** The same, all of them. */
  get all(): readonly RowHeads[] {
    return this.rows;
  }

  private addIn(found: LogRow[], list: EntryIds | undefined, { from, to }: Interval): LogRow[] {
    if (!list) return found;
    for (let i = list.isOrdered ? this.firstAfter(list, from) : 0; i < list.length; i++) {
      const entry = this.entry(list.at(i));
      if (!entry || entry.t1 <= from) continue;
      if (entry.t0 < to) found.push(entry);
      else if (list.isOrdered) break;
    }
    return found;
  }

  /** The first of a list in order that ends after `from`. */
  private firstAfter(list: EntryIds, from: number): number {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const id = list.at(middle);
      if ((this.row(id)?.t1(positionOfEntry(id)) ?? 0) > from) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private entry(id: number): LogRow | undefined {
    return this.row(id)?.entry(positionOfEntry(id));
  }

  /** Ids have no gaps, but where a file was mended. */
  private row(entry: number): RowHeads | undefined {
    const { rows } = this;
    const id = rowOfEntry(entry);
    const usual = rows[id - (rows[0]?.id ?? 0)];
    if (usual?.id === id) return usual;
    let low = 0;
    let high = rows.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const row = rows[middle];
      if (!row || row.id === id) return row;
      if (row.id < id) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}

const ALWAYS = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
function listOf(lists: Map<number, EntryIds>, key: number): EntryIds {
  const known = lists.get(key);
  if (known) return known;
  const made = new EntryIds();
  lists.set(key, made);
  return made;
}

function prepare(database: Database.Database) {
  return {
    first: database.prepare('SELECT min(id) FROM log').pluck(),
    after: database.prepare('SELECT id, heads FROM log WHERE id > ? ORDER BY id').raw(),
    sealings: database.prepare('SELECT id, unit, entry FROM sealed WHERE id > ? ORDER BY id').raw(),
  };
}
