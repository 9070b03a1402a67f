import { GridSpread, type Interval, overlapMs } from '../../model/spread.ts';
import type { CellGrid, SlotCells } from '../cell-grid.ts';
import { unionOf } from '../coverage.ts';
import { TIMED_OUT } from '../group-sum.ts';
import type { ListPart, PackedBlock, PackedList, PackedSums } from '../packed.ts';
import { TIERS } from '../store.ts';
import type { Segment } from '../tiers.ts';
import type { Groups } from './groups.ts';
import type { LogRow } from './log-index.ts';
import type { PlannedSeries, PlannedUnit, QueryPlan } from './query-plan.ts';
import type { ReaderCatalog } from './reader-catalog.ts';
import { BLOCK } from './schema.ts';
import type { BlockPlace, Sources } from './sources.ts';

export interface AdderParts {
  readonly bins: boolean;
  readonly catalog: ReaderCatalog;
  readonly sources: Sources;
  readonly plan: QueryPlan;
  readonly cells: CellGrid;
  readonly groups: Groups;
  /** Whether gauges are wanted. */
  readonly gauges: boolean;
  /** Whether what is read is not going to be read again soon. */
  readonly isLast: boolean;
}

/** Adds what rows and blocks hold to the groups of a query. */
export class Adder {
  private readonly bins: boolean;
  private readonly catalog: ReaderCatalog;
  private readonly sources: Sources;
  private readonly plan: QueryPlan;
  private readonly cells: CellGrid;
  private readonly groups: Groups;
  private readonly gauges: boolean;
  private readonly isLast: boolean;
  private readonly spread = new GridSpread();
  /** Whether slots of blocks were cut. */
  isCut = false;
  /** Whether blocks of a tier told how gauges stood. */
  hasTierGauges = false;

  constructor({ bins, catalog, sources, plan, cells, groups, gauges, isLast }: AdderParts) {
    this.bins = bins;
    this.catalog = catalog;
    this.sources = sources;
    this.plan = plan;
    this.cells = cells;
    this.groups = groups;
    this.gauges = gauges;
    this.isLast = isLast;
  }

  addBlock(place: BlockPlace, part: UnitPart): void {
    const { bins } = this;
    const { segment, planned } = part;
    const cell = this.cells.singleCell({ from: place.t0, to: place.t1 }, segment);
    const block = cell >= 0 ? this.sources.totals(place, bins) : this.sources.slots(place, bins, segment.from);
    const series = this.plan.seriesOf(block.ids, planned);
    const slots = this.slotsOf(block, place, part);
    if (this.gauges && slots.ends.length > 0) {
      this.hasTierGauges ||= place.table < TIERS.length;
      this.addGauges(block, slots, series);
    }
    if (cell >= 0) this.addSums(block, cell, series);
    else this.addSlots(block, slots, series);
  }

  /** What was counted in a slot that cells share falls into the part of it in which something was measured. */
  private slotsOf(block: PackedBlock, { t0, t1 }: BlockPlace, { segment, planned, measured }: UnitPart): SlotCells {
    const slots = this.cells.slots(block, segment);
    if (!slots.isShared) return slots;
    this.isCut = true;
    const from = block.fromMs + slots.first * block.stepMs;
    const to = block.fromMs + slots.end * block.stepMs;
    if (measured.some((run) => run.from <= from && run.to >= to)) return slots;
    const over = { from: t0, to: t1 };
    const rows = this.sources.rows(planned.unit, { ...over, direction: this.plan.direction }, planned.members);
    const records = rows.filter(({ layout }) => layout !== BLOCK).map(intervalOf);
    return this.cells.measuredSlots(slots, unionOf([...this.sources.coverage(planned.unit, over), ...records]));
  }

  private addGauges({ gauges, slots: size }: PackedBlock, { ends }: SlotCells, all: Series): void {
    for (let at = 0; at < gauges.length; at += 2 + size) {
      const series = all[gauges[at] ?? 0];
      if (!series) continue;
      const sum = this.groups.of(series.group).gauges;
      for (let i = 0; i < ends.length; i += 2)
        sum.add(gauges[at + 1] ?? 0, ends[i] ?? 0, gauges[at + 2 + (ends[i + 1] ?? 0)] ?? 0);
    }
  }

  private addSums({ numbers, bins }: PackedSums, cell: number, all: Series): void {
    for (let at = 0; at < numbers.length; ) {
      const series = all[numbers[at] ?? 0];
      const part = { list: numbers, at: at + 2, end: at + 2 + 2 * (numbers[at + 1] ?? 0) };
      if (series) this.groups.of(series.group).addCounts(part, { cell, source: series.source });
      at = part.end;
    }
    if (!bins || !this.bins) return;
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
    if (!bins || !this.bins) return;
    for (let at = 0; at < bins.length; ) {
      const series = all[bins[at] ?? 0];
      const list = { list: bins, at: at + 2, entries: bins[at + 1] ?? 0 };
      at = series
        ? groups.of(series.group).addBinsBySlot(list, { grid, slots, source: series.source })
        : endOfSlotList(list);
    }
  }

  /** `tail`: the time after it in which its rate is taken to go on; empty for all but its target's newest row. */
  addRow(row: LogRow, { segment, planned }: UnitPart, tail: Interval): void {
    const { direction } = this.plan;
    const { bins, isLast } = this;
    const packed = this.sources.record(row, { direction, bins, isLast }, this.catalog);
    const series = this.plan.seriesOf(packed.ids, planned);
    const interval = intervalOf(row);
    const cell = this.cells.singleCell(interval, segment);
    if (cell >= 0) this.addSums(packed, cell, series);
    else this.addSpread(packed, { interval, segment }, series);
    const times = { from: Math.max(row.t0, segment.from), to: Math.max(Math.min(row.t1, segment.to), tail.to) };
    if (this.gauges && packed.gauges.length > 0) this.addRecordGauges(packed, times, series);
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
        const row = sum.counters.row(list[i] ?? 0);
        spread.addTo(sum.counters.values, value, row);
        if (list[i] !== TIMED_OUT || source !== 'upstream') continue;
        const timeouts = sum.timeouts.row(0);
        spread.addTo(sum.timeouts.values, value, timeouts);
      }
    });
    if (!bins || !this.bins) return;
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
        this.groups.of(series.group).gauges.add(gauges[at + 1] ?? 0, cell, gauges[at + 2] ?? 0);
      }
    });
  }

  private addExpected({ numbers }: PackedSums, { tail, lengthMs }: Tail, all: Series): void {
    const { fromMs, stepMs, steps } = this.cells.grid;
    for (let cell = Math.max(0, Math.floor((tail.from - fromMs) / stepMs)); cell < steps; cell++) {
      const shared = overlapMs(this.cells.interval(cell), tail);
      if (shared === 0) break;
      eachList(numbers, all, ({ group }, { list, at, end }) => {
        const { expected } = this.groups.of(group);
        for (let i = at; i < end; i += 2) expected.add(list[i] ?? 0, cell, ((list[i + 1] ?? 0) / lengthMs) * shared);
      });
    }
  }
}

type Series = readonly (PlannedSeries | undefined)[];

/** A part of the time of a unit. */
export interface UnitPart {
  readonly segment: Segment;
  readonly planned: PlannedUnit;
  /** When it was measured, as far as that reaches into the segment. */
  readonly measured: { readonly from: number; to: number }[];
}

/** What is taken to go on after a record, which was of this length. */
interface Tail {
  readonly tail: Interval;
  readonly lengthMs: number;
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

function intervalOf({ t0, t1 }: LogRow): Interval {
  return { from: t0, to: t1 };
}
