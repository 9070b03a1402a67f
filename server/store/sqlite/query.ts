import { requestCount } from '../../model/flow.ts';
import { GridSpread, type Interval, overlapMs } from '../../model/spread.ts';
import { type EncodedAnswer, NumberWriter } from '../answer.ts';
import { CellGrid, type SlotCells } from '../cell-grid.ts';
import { TIMED_OUT } from '../group-sum.ts';
import type { ListPart, PackedBlock, PackedList, PackedSums } from '../packed.ts';
import { QueryStoppedError, QueryTooLargeError, type SumQuery } from '../store.ts';
import { planSegments, type Segment, tierNames } from '../tiers.ts';
import { Groups } from './groups.ts';
import type { PlannedSeries, PlannedUnit, QueryPlan, QueryPlans } from './query-plan.ts';
import type { ReaderCatalog } from './reader-catalog.ts';
import { BLOCK, TARGET } from './schema.ts';
import { type BlockPlace, type LogRow, logBlock, type Sources } from './sources.ts';

/** Most cells of an answer; one with a histogram takes ten times the memory. */
const MAX_CELLS = 1_000_000;
const MAX_CELLS_WITH_BINS = 100_000;
/** A target's next scrape is overdue after this many of its intervals. */
const OVERDUE = 1.5;

export interface QueryParts {
  readonly query: SumQuery;
  readonly catalog: ReaderCatalog;
  readonly plans: QueryPlans;
  readonly sources: Sources;
  readonly slotMs: number;
}

/** One query of the file, within one transaction. */
export class StoreQuery {
  private readonly query: SumQuery;
  private readonly catalog: ReaderCatalog;
  private readonly sources: Sources;
  private readonly plan: QueryPlan;
  private readonly segments: readonly Segment[];
  private readonly cells: CellGrid;
  private readonly newest: number;
  private readonly groups: Groups;
  private readonly spread = new GridSpread();

  constructor(parts: QueryParts) {
    const { query, catalog, plans, sources, slotMs } = parts;
    this.query = query;
    this.catalog = catalog;
    this.sources = sources;
    this.plan = plans.of(query);
    const { newest, keptFrom } = sources.state();
    this.newest = newest;
    this.cells = new CellGrid(query, newest);
    this.segments = planSegments({ from: query.from, to: query.to, stepMs: query.stepMs, slotMs, keptFrom });
    this.groups = new Groups({ query, grid: this.cells, chosen: chosenGroups(parts) });
  }

  run(): EncodedAnswer {
    const out = new NumberWriter();
    const { groups } = this;
    this.read(() => groups.encodeOpen(out));
    return {
      ...groups.encodeRest(out),
      tiers: tierNames(this.segments),
      cells: this.cells.grid.steps,
      quantiles: this.query.quantiles?.length ?? 0,
      numbers: out.finish(),
    };
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
    for (const partition of this.partitions()) {
      for (const { planned, segment } of partition) {
        this.checkLimits();
        this.readUnit(planned, segment, count);
      }
      count += this.groups.open.length;
      finished();
      this.groups.clear();
    }
  }

  private partitions(): Iterable<{ planned: PlannedUnit; segment: Segment }[]> {
    const partitions = new Map<string, { planned: PlannedUnit; segment: Segment }[]>();
    for (const segment of this.segments)
      for (const [key, units] of this.plan.unitsOf(segment.tier)) {
        const partition = partitions.get(key) ?? [];
        for (const planned of units) partition.push({ planned, segment });
        partitions.set(key, partition);
      }
    return partitions.values();
  }

  private readUnit(planned: PlannedUnit, segment: Segment, others: number): void {
    const { unit, members } = planned;
    const { direction } = this.plan;
    const rows = this.sources.rows(unit, { ...segment, direction }, members);
    const runs = runsIn(segment, [this.sources.coverage(unit, segment), rows.filter(isRecord).map(intervalOf)]);
    if (runs.length === 0) return;
    const tails = this.tailsOf(rows);
    const ends = [...tails.values()].map((row) => this.tailOf(row));
    for (const group of planned.groups) this.groups.of(group).measured(runs, ends);
    this.checkSize(others);
    for (const place of this.sources.blocks(unit, segment, direction)) this.addBlock(place, segment, planned);
    for (const row of rows)
      if (row.layout === BLOCK) this.addBlock(logBlock(row), segment, planned);
      else this.addRow(row, { segment, planned, isLast: tails.get(row.unit) === row });
  }

  private checkSize(others: number): void {
    const most = this.query.bins ? MAX_CELLS_WITH_BINS : MAX_CELLS;
    if ((others + this.groups.open.length) * this.cells.grid.steps > most)
      throw new QueryTooLargeError(
        `the answer has more than ${most} points: use a longer step, filter, or group by fewer labels`,
      );
  }

  private tailsOf(rows: readonly LogRow[]): Map<number, LogRow> {
    const last = new Map<number, LogRow>();
    for (const row of rows) {
      if (row.layout === BLOCK) continue;
      const known = last.get(row.unit);
      if ((!known || row.t1 > known.t1) && this.catalog.units.get(row.unit)?.kind === TARGET) last.set(row.unit, row);
    }
    return last;
  }

  /** From a target's last scrape to the newest of all, as long as its next one is not overdue. */
  private tailOf({ t0, t1 }: LogRow): Interval {
    const isDue = this.newest <= t1 + OVERDUE * (t1 - t0);
    return { from: t1, to: isDue ? Math.max(t1, this.newest) : t1 };
  }

  private addBlock(place: BlockPlace, segment: Segment, planned: PlannedUnit): void {
    const { bins } = this.query;
    const cell = this.cells.singleCell({ from: place.t0, to: place.t1 }, segment);
    const block = cell >= 0 ? this.sources.totals(place, bins) : this.sources.slots(place, bins);
    const series = this.plan.seriesOf(block.ids, planned);
    const slots = this.cells.slots(block, segment);
    if (slots.ends.length > 0) this.addGauges(block, slots, series);
    if (cell >= 0) this.addSums(block, cell, series);
    else this.addSlots(block, slots, series);
  }

  private addGauges({ gauges, slots: size }: PackedBlock, { ends }: SlotCells, all: Series): void {
    for (let at = 0; at < gauges.length; at += 2 + size) {
      const series = all[gauges[at] ?? 0];
      if (!series) continue;
      const column = this.groups.of(series.group).gauge(gauges[at + 1] ?? 0);
      for (let i = 0; i < ends.length; i += 2) {
        const cell = ends[i] ?? 0;
        column[cell] = (column[cell] ?? 0) + (gauges[at + 2 + (ends[i + 1] ?? 0)] ?? 0);
      }
    }
  }

  private addSums({ numbers, bins }: PackedSums, cell: number, all: Series): void {
    for (let at = 0; at < numbers.length; ) {
      const series = all[numbers[at] ?? 0];
      const part = { list: numbers, at: at + 2, end: at + 2 + 2 * (numbers[at + 1] ?? 0) };
      if (series) this.groups.of(series.group).addCounts(part, { cell, source: series.source });
      at = part.end;
    }
    if (!bins || !this.query.bins) return;
    for (let at = 0; at < bins.length; ) {
      const series = all[bins[at] ?? 0];
      const part = { list: bins, at: at + 2, end: at + 2 + 2 * (bins[at + 1] ?? 0) };
      if (series) this.groups.of(series.group).table(series.source).addPairs(part, cell);
      at = part.end;
    }
  }

  private addSlots({ numbers, bins }: PackedBlock, slots: SlotCells, all: Series): void {
    const { cells: grid, groups } = this;
    for (let at = 0; at < numbers.length; ) {
      const series = all[numbers[at] ?? 0];
      const list = { list: numbers, at: at + 2, entries: numbers[at + 1] ?? 0 };
      at = series
        ? groups.of(series.group).addCountsBySlot(list, { grid, slots, source: series.source })
        : endOfSlotList(list);
    }
    if (!bins || !this.query.bins) return;
    for (let at = 0; at < bins.length; ) {
      const series = all[bins[at] ?? 0];
      const list = { list: bins, at: at + 2, entries: bins[at + 1] ?? 0 };
      at = series
        ? groups.of(series.group).addBinsBySlot(list, { grid, slots, source: series.source })
        : endOfSlotList(list);
    }
  }

  private addRow(row: LogRow, { segment, planned, isLast }: RowContext): void {
    const { direction } = this.plan;
    const packed = this.sources.record(row, { direction, bins: this.query.bins }, this.catalog);
    const series = this.plan.seriesOf(packed.ids, planned);
    const interval = intervalOf(row);
    const tail = isLast ? this.tailOf(row) : { from: 0, to: 0 };
    const cell = this.cells.singleCell(interval, segment);
    if (cell >= 0) this.addSums(packed, cell, series);
    else this.addSpread(packed, { interval, segment }, series);
    const times = { from: Math.max(row.t0, segment.from), to: Math.min(Math.max(row.t1, tail.to), segment.to) };
    if (packed.gauges.length > 0) this.addRecordGauges(packed, times, series);
    if (tail.to > tail.from) this.addExpected(packed, { tail, lengthMs: row.t1 - row.t0 }, series);
  }

  private addSpread(
    { numbers, bins }: PackedSums,
    { interval, segment }: { interval: Interval; segment: Segment },
    all: Series,
  ): void {
    const { spread } = this;
    spread.set(interval, segment, this.cells.grid);
    if (spread.reached === 0) return;
    eachList(numbers, all, ({ group, source }, { list, at, end }) => {
      const sum = this.groups.of(group);
      for (let i = at; i < end; i += 2) {
        const value = list[i + 1] ?? 0;
        spread.addTo(sum.counter(list[i] ?? 0), value);
        if (list[i] === TIMED_OUT && source === 'upstream') spread.addTo(sum.timeoutsWithoutSample(), value);
      }
    });
    if (!bins || !this.query.bins) return;
    eachList(bins, all, ({ group, source }, { list, at, end }) => {
      const table = this.groups.of(group).table(source);
      for (let i = at; i < end; i += 2) {
        const row = table.row(list[i] ?? 0);
        spread.addTo(table.counts, list[i + 1] ?? 0, row);
      }
    });
  }

  private addRecordGauges({ gauges }: PackedSums, times: Interval, all: Series): void {
    this.cells.eachMoment(times, (cell) => {
      for (let at = 0; at < gauges.length; at += 3) {
        const series = all[gauges[at] ?? 0];
        if (!series) continue;
        const column = this.groups.of(series.group).gauge(gauges[at + 1] ?? 0);
        column[cell] = (column[cell] ?? 0) + (gauges[at + 2] ?? 0);
      }
    });
  }

  private addExpected({ numbers }: PackedSums, { tail, lengthMs }: Tail, all: Series): void {
    const { fromMs, stepMs, steps } = this.cells.grid;
    for (let cell = Math.max(0, Math.floor((tail.from - fromMs) / stepMs)); cell < steps; cell++) {
      const shared = overlapMs(this.cells.interval(cell), tail);
      if (shared === 0) break;
      eachList(numbers, all, ({ group }, { list, at, end }) => {
        const sum = this.groups.of(group);
        for (let i = at; i < end; i += 2) {
          const column = sum.expectedOf(list[i] ?? 0);
          column[cell] = (column[cell] ?? 0) + ((list[i + 1] ?? 0) / lengthMs) * shared;
        }
      });
    }
  }

  private checkLimits(): void {
    const { limits } = this.query;
    if (!limits) return;
    if (Atomics.load(limits.cancelled, 0) === 1) throw new QueryStoppedError('the query was cancelled');
    if (Date.now() > limits.deadline)
      throw new QueryStoppedError('the query took too long: ask for a shorter time, a longer step or fewer groups');
  }
}

type Series = readonly (PlannedSeries | undefined)[];

interface RowContext {
  readonly segment: Segment;
  readonly planned: PlannedUnit;
  /** Whether it is its target's newest row. */
  readonly isLast: boolean;
}

/** What is taken to go on after a record, which was of this length. */
interface Tail {
  readonly tail: Interval;
  readonly lengthMs: number;
}

/** Keys of the groups that `top` keeps; undefined where it keeps all. */
function chosenGroups(parts: QueryParts): ReadonlySet<string> | undefined {
  const { top, stepMs: _, quantiles: __, subtotals: ___, ...whole } = parts.query;
  return top === undefined ? undefined : new StoreQuery({ ...parts, query: { ...whole, bins: false } }).largest(top);
}

/** Lists of pairs of the series that are wanted. */
function eachList(list: PackedList, all: Series, found: (series: PlannedSeries, part: ListPart) => void): void {
  for (let at = 0; at < list.length; ) {
    const series = all[list[at] ?? 0];
    const end = at + 2 + 2 * (list[at + 1] ?? 0);
    if (series) found(series, { list, at: at + 2, end });
    at = end;
  }
}

function endOfSlotList({ list, at, entries }: { list: PackedList; at: number; entries: number }): number {
  let next = at;
  for (let left = entries; left > 0; left--) next += 2 + 2 * (list[next + 1] ?? 0);
  return next;
}

const isRecord = ({ layout }: LogRow): boolean => layout !== BLOCK;

function intervalOf({ t0, t1 }: LogRow): Interval {
  return { from: t0, to: t1 };
}

/** Intervals as far as they lie within another one; those that follow one another as one. */
function runsIn(within: Interval, intervals: readonly (readonly Interval[])[]): Interval[] {
  const runs: { from: number; to: number }[] = [];
  for (const list of intervals)
    for (const one of list) {
      const from = Math.max(one.from, within.from);
      const to = Math.min(one.to, within.to);
      if (to <= from) continue;
      const last = runs.at(-1);
      if (last && from >= last.from && from <= last.to) last.to = Math.max(last.to, to);
      else runs.push({ from, to });
    }
  return runs;
}
