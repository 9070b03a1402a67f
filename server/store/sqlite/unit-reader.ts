import type { Interval } from '../../model/spread.ts';
import type { CellGrid } from '../cell-grid.ts';
import { partsIn } from '../coverage.ts';
import type { Segment } from '../tiers.ts';
import { Adder, type UnitPart } from './adding.ts';
import { BACK_MS, isDue, NO_TAIL, tailOf } from './due.ts';
import type { Groups } from './groups.ts';
import type { LogRow } from './log-index.ts';
import type { PlannedUnit, QueryPlan } from './query-plan.ts';
import type { ReaderCatalog } from './reader-catalog.ts';
import { BLOCK, TARGET } from './schema.ts';
import { logBlock, type Sources } from './sources.ts';

const ROWS_BETWEEN_CHECKS = 500;

/** What is read of units. */
export interface Wanted {
  /** Parts of the time of the cells, each from one tier. */
  readonly segments: readonly Segment[];
  readonly cells: CellGrid;
  /**
   * `counts`: only what was counted, and when; `gone`: only what was counted. What goes on after the last scrapes, and
   * gauges, are then not told.
   */
  readonly only?: 'counts' | 'gone';
}

export interface UnitReaderParts {
  readonly bins: boolean;
  readonly catalog: ReaderCatalog;
  readonly sources: Sources;
  readonly plan: QueryPlan;
  readonly groups: Groups;
  /** To be called often: throws when reading is to end. */
  check(): void;
}

/** Reads units over some time, and adds what it finds to groups. */
export class UnitReader {
  /** Up to then, what was read only changes when something that begins before then is stored. */
  settledTo: number;
  readonly adder: Adder;
  private readonly parts: UnitReaderParts;
  private readonly wanted: Wanted;
  /** Kinds of units by segment. */
  readonly kinds: readonly number[];
  private readonly newest: number;
  private readonly lastRows = new Map<number, LogRow>();
  /** From the beginning of the first segment to the end of the last one. */
  private readonly span: Interval;

  constructor(parts: UnitReaderParts, wanted: Wanted) {
    this.parts = parts;
    this.wanted = wanted;
    const { segments, cells, only } = wanted;
    const { bins, catalog, sources, plan, groups } = parts;
    this.newest = sources.state().newest;
    this.settledTo = Math.min(cells.grid.toMs, this.newest);
    this.kinds = segments.map(({ tier }) => plan.kindOf(tier));
    this.span = {
      from: Math.min(...segments.map(({ from }) => from)),
      to: Math.max(...segments.map(({ to }) => to)),
    };
    const which = { gauges: only === undefined, isLast: only === 'gone' };
    this.adder = new Adder({ bins, catalog, sources, plan, cells, groups, ...which });
  }

  /** Adds what all units hold. */
  add(units: readonly PlannedUnit[]): void {
    if (this.wanted.segments.length === 0) return;
    const rows: PlannedRow[] = [];
    for (const planned of units) {
      this.parts.check();
      this.readUnit(planned, rows);
    }
    this.addRows(rows);
  }

  private readUnit(planned: PlannedUnit, rows: PlannedRow[]): void {
    const { segments, only } = this.wanted;
    let covered: readonly Interval[] | undefined;
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i];
      if (!segment || this.kinds[i] !== planned.unit.kind) continue;
      if (only !== 'gone') covered ??= this.parts.sources.coverage(planned.unit, this.span);
      this.readSegment({ planned, segment, measured: [] }, covered ?? [], rows);
    }
  }

  /** Adds a unit's blocks, and tells which rows of the log are left to be added. */
  private readSegment(part: UnitPart, covered: readonly Interval[], left: PlannedRow[]): void {
    const { segment, planned } = part;
    const { sources, plan } = this.parts;
    const { direction } = plan;
    const rows = sources.rows(planned.unit, { from: segment.from, to: segment.to, direction }, planned.members);
    if (this.wanted.only !== 'gone' && !this.measure(part, covered, rows)) return;
    for (const place of sources.blocks(planned.unit, segment, direction)) this.adder.addBlock(place, part);
    for (const row of rows) left.push({ row, part, tail: this.tailAfter(row) });
  }

  /** Tells when the unit was measured. @returns false where it was not. */
  private measure(part: UnitPart, covered: readonly Interval[], rows: readonly LogRow[]): boolean {
    const { segment, planned, measured } = part;
    for (const { from, to } of covered) if (to > segment.from && from < segment.to) addRun(measured, from, to);
    for (const row of rows) if (isRecord(row)) addRun(measured, row.t0, row.t1);
    const runs = partsIn(measured, segment);
    if (runs.length === 0) return false;
    this.findLast(rows, segment);
    const tails: Interval[] = [];
    if (this.lastRows.size > 0) for (const row of this.lastRows.values()) tails.push(tailOf(row, this.newest));
    for (const row of rows) this.settle(row);
    for (const group of planned.groups) this.parts.groups.of(group).measured(runs, tails);
    return true;
  }

  /** The newest row of each target, as far as it ends in the segment: what goes on after it is told once. */
  private findLast(rows: readonly LogRow[], { to }: Segment): void {
    const { lastRows: last } = this;
    if (last.size > 0) last.clear();
    if (this.wanted.only) return;
    for (const row of rows) {
      if (!isRecord(row)) continue;
      const known = last.get(row.unit);
      if ((!known || row.t1 > known.t1) && this.parts.catalog.units.get(row.unit)?.kind === TARGET)
        last.set(row.unit, row);
    }
    if (to >= this.newest) return;
    for (const [unit, row] of last) if (row.t1 > to || this.parts.sources.isFollowed(row)) last.delete(unit);
  }

  /** What is taken to go on after a row of the unit that {@link findLast} looked at. */
  private tailAfter(row: LogRow): Interval {
    return !this.wanted.only && this.lastRows.get(row.unit) === row ? tailOf(row, this.newest) : NO_TAIL;
  }

  /** What may go on after a row is not settled, nor is a row that has to be read for that. */
  private settle(row: LogRow): void {
    if (isRecord(row) && isDue(row, this.newest - BACK_MS)) this.settledTo = Math.min(this.settledTo, row.t1 - 1);
  }

  /**
   * In the order of the log, which packs scrapes of several targets together; those with a tail last, whose shares are no
   * whole numbers: these add up to the same whatever else is there.
   */
  private addRows(rows: readonly PlannedRow[]): void {
    const whole: PlannedRow[] = [];
    const last: PlannedRow[] = [];
    for (const one of rows) (one.tail === NO_TAIL ? whole : last).push(one);
    whole.sort((a, b) => a.row.id - b.row.id);
    this.addInOrder(whole);
    this.addInOrder(last);
  }

  private addInOrder(rows: readonly PlannedRow[]): void {
    const { adder } = this;
    for (let i = 0; i < rows.length; i++) {
      const one = rows[i];
      if (i % ROWS_BETWEEN_CHECKS === 0) this.parts.check();
      if (!one) continue;
      if (isRecord(one.row)) adder.addRow(one.row, one.part, one.tail);
      else adder.addBlock(logBlock(one.row), one.part);
    }
  }
}

interface PlannedRow {
  readonly row: LogRow;
  readonly part: UnitPart;
  readonly tail: Interval;
}

const isRecord = ({ layout }: LogRow): boolean => layout !== BLOCK;

interface Run {
  readonly from: number;
  to: number;
}

/** Adds an interval; those that follow one another become one. */
function addRun(runs: Run[], from: number, to: number): void {
  const last = runs[runs.length - 1];
  if (last && from >= last.from && from <= last.to) last.to = Math.max(last.to, to);
  else if (to > from) runs.push({ from, to });
}
