import { requestCount } from '../../model/flow.ts';
import type { Interval } from '../../model/spread.ts';
import { type EncodedAnswer, NumberWriter } from '../answer.ts';
import { CellGrid } from '../cell-grid.ts';
import { partsIn } from '../coverage.ts';
import type { KeptGroup, KeptSums } from '../kept-sums.ts';
import type { SumQuery } from '../store.ts';
import { planSegments, type Segment, tierNames } from '../tiers.ts';
import { Adder, type UnitPart } from './adding.ts';
import { BACK_MS, isDue, NO_TAIL, tailOf } from './due.ts';
import { FreeSums, Groups } from './groups.ts';
import type { LogRow } from './log-index.ts';
import { checkLimits, checkSize, mostOpen } from './query-limits.ts';
import type { PlannedUnit, QueryPlan, QueryPlans } from './query-plan.ts';
import type { ReaderCatalog } from './reader-catalog.ts';
import { BLOCK, TARGET } from './schema.ts';
import { logBlock, type Sources } from './sources.ts';

const ROWS_BETWEEN_CHECKS = 500;
/** Sums of several cells that a query keeps, to use them again itself. */
const MOST_FREE = 100;

export interface QueryParts {
  readonly query: SumQuery;
  /** What its time is answered from; see {@link segmentsOf}. */
  readonly segments: readonly Segment[];
  /** Cells of the whole answer that the query is a part of. */
  readonly steps: number;
  readonly catalog: ReaderCatalog;
  readonly plans: QueryPlans;
  readonly sources: Sources;
  readonly slotMs: number;
  /** What is known of a part of the query's time, which is then in no segment. Of queries of one cell, without `top`. */
  readonly known?: KeptSums | undefined;
  /** Sums of one cell that are used again by one query after the other. */
  readonly free: FreeSums;
}

/** What a query's time is answered from. */
export function segmentsOf({ from, to, stepMs }: SumQuery, sources: Sources, slotMs: number): Segment[] {
  return planSegments({ from, to, stepMs, slotMs, keptFrom: sources.state().keptFrom });
}

/** One query of the file, within one transaction. */
export class StoreQuery {
  /** Up to then, what was read only changes when something that begins before then is stored; known when it was run. */
  settledTo: number;
  private readonly query: SumQuery;
  private readonly catalog: ReaderCatalog;
  private readonly sources: Sources;
  private readonly plan: QueryPlan;
  private readonly segments: readonly Segment[];
  private readonly cells: CellGrid;
  private readonly newest: number;
  private readonly steps: number;
  private readonly known: KeptSums | undefined;
  private readonly groups: Groups;
  private readonly adder: Adder;

  constructor(parts: QueryParts) {
    const { query, segments, steps, catalog, plans, sources, known } = parts;
    this.known = known;
    this.query = query;
    this.catalog = catalog;
    this.sources = sources;
    this.plan = plans.of(query);
    const { newest } = sources.state();
    this.newest = newest;
    this.settledTo = Math.min(query.to, newest);
    this.cells = new CellGrid(query, newest);
    this.segments = segments;
    this.steps = steps;
    const { grid } = this.cells;
    const free = grid.steps === parts.free.cells ? parts.free : new FreeSums(grid.steps, MOST_FREE);
    this.groups = new Groups({ query, grid: this.cells, free, known, chosen: chosenGroups(parts) });
    const { plan, cells, groups } = this;
    this.adder = new Adder({ bins: query.bins, catalog, sources, plan, cells, groups });
  }

  run(): EncodedAnswer {
    const out = new NumberWriter();
    const { groups } = this;
    this.read(() => groups.encodeOpen(out));
    groups.encodeKnown(out);
    return {
      ...groups.encodeRest(out),
      tiers: tierNames(this.segments),
      cells: this.cells.grid.steps,
      quantiles: this.query.quantiles?.length ?? 0,
      numbers: out.finish(),
    };
  }

  /** The sums of a query of one cell, to be kept. */
  keep(): KeptSums {
    const kept = new Map<string, KeptGroup>();
    this.read(() => {
      for (const { key, sum } of this.groups.open) kept.set(key, sum.keep());
    });
    return kept;
  }

  /** Whether a stored step was cut: other steps of the same time, finer or coarser, may then be cut in another way. */
  get isCut(): boolean {
    return this.adder.isCut;
  }

  /** Whether a stored step told how gauges stood, which a finer or coarser one may tell otherwise. */
  get hasTierGauges(): boolean {
    return this.adder.hasTierGauges;
  }

  /** Keys of the groups with the most requests. */
  largest(top: number): Set<string> {
    const requests: [key: string, count: number][] = [];
    this.read(() => {
      for (const { key, sum } of this.groups.open) requests.push([key, sum.requests(requestCount)]);
    });
    return new Set(
      requests
        .sort(([, a], [, b]) => b - a)
        .slice(0, top)
        .map(([key]) => key),
    );
  }

  /** Units whose groups may be the same are read together, so that few groups have to be held at once. */
  private read(finished: () => void): void {
    let count = 0;
    for (const batch of this.batches()) {
      const rows: PlannedRow[] = [];
      for (const { planned, segment } of batch) {
        checkLimits(this.query);
        this.openKnown(planned);
        this.readUnit(planned, segment, rows);
        checkSize(this.query, (count + this.groups.open.length) * this.steps);
      }
      this.addRows(rows);
      count += this.groups.open.length;
      finished();
      this.groups.clear();
    }
  }

  /** Parts of the time of units, by what has to be read together; where those are small, several of them. */
  private *batches(): Generator<PlannedPart[]> {
    const most = mostOpen(this.query, this.cells.grid.steps);
    let batch: PlannedPart[] = [];
    let open = 0;
    for (const partition of this.partitions()) {
      const groups = new Set(partition.flatMap(({ planned }) => planned.groups)).size;
      if (open > 0 && open + groups > most) {
        yield batch;
        [batch, open] = [[], 0];
      }
      for (const part of partition) batch.push(part);
      open += groups;
    }
    if (batch.length > 0) yield batch;
  }

  private partitions(): Iterable<PlannedPart[]> {
    const partitions = new Map<string, PlannedPart[]>();
    for (const segment of this.segments)
      for (const [key, units] of this.plan.unitsOf(segment.tier)) {
        const partition = partitions.get(key) ?? [];
        for (const planned of units) partition.push({ planned, segment });
        partitions.set(key, partition);
      }
    return partitions.values();
  }

  /** In their order, whether anything new was measured of them or not. */
  private openKnown({ groups }: PlannedUnit): void {
    if (this.known) for (const group of groups) if (this.known.has(group.key)) this.groups.of(group);
  }

  /** Adds a unit's blocks, and tells which rows of the log are left to be added. */
  private readUnit(planned: PlannedUnit, segment: Segment, left: PlannedRow[]): void {
    const { unit, members } = planned;
    const { direction } = this.plan;
    const rows = this.sources.rows(unit, { ...segment, direction }, members);
    const measured: Run[] = [];
    for (const { from, to } of this.sources.coverage(unit, segment)) addRun(measured, from, to);
    for (const row of rows) if (isRecord(row)) addRun(measured, row.t0, row.t1);
    const runs = partsIn(measured, segment);
    if (runs.length === 0) return;
    const tails = this.tailsOf(rows, segment);
    const ends = [...tails.values()].map((row) => tailOf(row, this.newest));
    for (const row of rows) this.settle(row);
    for (const group of planned.groups) this.groups.of(group).measured(runs, ends);
    const part = { segment, planned, measured };
    for (const place of this.sources.blocks(unit, segment, direction)) this.adder.addBlock(place, part);
    for (const row of rows)
      left.push({ row, part, tail: tails.get(row.unit) === row ? tailOf(row, this.newest) : NO_TAIL });
  }

  /**
   * In the order of the log, which packs scrapes of several targets together; those with a tail last, whose shares are no
   * whole numbers: these add up to the same whatever else is there.
   */
  private addRows(rows: PlannedRow[]): void {
    const { adder } = this;
    const isLast = ({ tail }: PlannedRow): boolean => tail !== NO_TAIL;
    const whole = rows.filter((one) => !isLast(one)).sort((a, b) => a.row.id - b.row.id);
    for (const list of [whole, rows.filter(isLast)])
      for (const [index, one] of list.entries()) {
        if (index % ROWS_BETWEEN_CHECKS === 0) checkLimits(this.query);
        if (isRecord(one.row)) adder.addRow(one.row, one.part, one.tail);
        else adder.addBlock(logBlock(one.row), one.part);
      }
  }

  /** The newest row of each target, as far as it ends in the segment: what goes on after it is told once. */
  private tailsOf(rows: readonly LogRow[], { to }: Segment): Map<number, LogRow> {
    const last = new Map<number, LogRow>();
    for (const row of rows) {
      if (row.layout === BLOCK) continue;
      const known = last.get(row.unit);
      if ((!known || row.t1 > known.t1) && this.catalog.units.get(row.unit)?.kind === TARGET) last.set(row.unit, row);
    }
    if (to < this.newest)
      for (const [unit, row] of last) if (row.t1 > to || this.sources.isFollowed(row)) last.delete(unit);
    return last;
  }

  /** What may go on after a row is not settled, nor is a row that has to be read for that. */
  private settle(row: LogRow): void {
    if (isRecord(row) && isDue(row, this.newest - BACK_MS)) this.settledTo = Math.min(this.settledTo, row.t1 - 1);
  }
}

interface PlannedPart {
  readonly planned: PlannedUnit;
  readonly segment: Segment;
}

interface PlannedRow {
  readonly row: LogRow;
  readonly part: UnitPart;
  readonly tail: Interval;
}

/** Keys of the groups that `top` keeps; undefined where it keeps all. */
function chosenGroups(parts: QueryParts): ReadonlySet<string> | undefined {
  const { top, stepMs: _, quantiles: __, subtotals: ___, ...whole } = parts.query;
  return top === undefined ? undefined : largestOf({ ...parts, query: { ...whole, bins: false } }, top);
}

function largestOf(parts: QueryParts, top: number): Set<string> {
  const segments = segmentsOf(parts.query, parts.sources, parts.slotMs);
  return new StoreQuery({ ...parts, segments, steps: 1 }).largest(top);
}

const isRecord = ({ layout }: LogRow): boolean => layout !== BLOCK;

interface Run {
  readonly from: number;
  to: number;
}

/** Adds an interval; those that follow one another become one. */
function addRun(runs: Run[], from: number, to: number): void {
  const last = runs.at(-1);
  if (last && from >= last.from && from <= last.to) last.to = Math.max(last.to, to);
  else if (to > from) runs.push({ from, to });
}
