import type Database from 'better-sqlite3';
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
      const id = entryId(row.id, position);
      const unit = row.unit(position);
      const feeds = row.feeds(position);
      if (feeds > 0 && this.earliest !== undefined) this.earliest = Math.min(this.earliest, row.entry(position).t0);
      if (id <= (this.sealed.get(unit) ?? 0)) continue;
      listOf(this.byUnit, unit).add(id, row.size(position));
      if (feeds > 0) listOf(this.byService, feeds).add(id, 0);
      if (this.isKnown) this.onAdded(row.entry(position));
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
  of(unit: number, { from, to }: { from: number; to: number } = ALWAYS): LogRow[] {
    return this.entriesIn(this.byUnit.get(unit), from, to);
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
  feeding(service: number, closed: number, { from, to }: { from: number; to: number } = ALWAYS): LogRow[] {
    const list = this.byService.get(service);
    list?.dropUpTo(closed, () => 0);
    return this.entriesIn(list, from, to);
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
      const first = this.row(list.first ?? 0)?.entry(positionOfEntry(list.first ?? 0));
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

  private entriesIn(list: EntryIds | undefined, from: number, to: number): LogRow[] {
    const found: LogRow[] = [];
    for (let i = 0; list && i < list.length; i++) {
      const id = list.at(i);
      const row = this.row(id);
      const position = positionOfEntry(id);
      if (row && row.t1(position) > from && row.t0(position) < to) found.push(row.entry(position));
    }
    return found;
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
/** So many that are gone are taken out of a list together. */
const GONE_AT_ONCE = 32;

/** Ascending ids, which come at the end and go at the beginning. */
class EntryIds {
  private readonly ids: number[] = [];
  private gone = 0;
  bytes = 0;

  add(id: number, bytes: number): void {
    this.ids.push(id);
    this.bytes += bytes;
  }

  get length(): number {
    return this.ids.length - this.gone;
  }

  get first(): number | undefined {
    return this.ids[this.gone];
  }

  at(index: number): number {
    return this.ids[this.gone + index] ?? 0;
  }

  dropUpTo(last: number, bytesOf: (id: number) => number): void {
    for (let first = this.first; first !== undefined && first <= last; first = this.first) {
      this.bytes -= bytesOf(first);
      this.gone++;
    }
    if (this.gone < GONE_AT_ONCE && this.gone < this.ids.length) return;
    this.ids.splice(0, this.gone);
    this.gone = 0;
  }
}

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
