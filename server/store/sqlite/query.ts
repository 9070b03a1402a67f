import { requestCount } from '../../model/flow.ts';
import { keyOf } from '../../model/labels.ts';
import { GridSpread, type Interval, overlapMs } from '../../model/spread.ts';
import { type EncodedAnswer, type EncodedGroup, NumberWriter } from '../answer.ts';
import { type BlockVisitor, readBlock, readBlockHead } from '../blocks.ts';
import { CellGrid } from '../cell-grid.ts';
import { GroupSum, TIMED_OUT } from '../group-sum.ts';
import { DIRECTIONS, FIRST_GAUGE, type RecordVisitor, readRecord } from '../record.ts';
import { PLACE_LABELS, UNIT_LABELS } from '../series-labels.ts';
import { QueryStoppedError, QueryTooLargeError, type SeriesLabel, type SumQuery } from '../store.ts';
import { planSegments, type Segment, TIER_LIST, tierNames } from '../tiers.ts';
import type { ReaderCatalog, ReadSeries, Unit } from './reader-catalog.ts';
import { BLOCK, PLACE, SERVICE, TARGET } from './schema.ts';
import type { LogRow, Sources } from './sources.ts';

/** Most cells of an answer; one with a histogram takes ten times the memory. */
const MAX_CELLS = 1_000_000;
const MAX_CELLS_WITH_BINS = 100_000;
/** A target's next scrape is overdue after this many of its intervals. */
const OVERDUE = 1.5;

/** One query of the file, within one transaction. */
export class StoreQuery {
  private readonly query: SumQuery;
  private readonly catalog: ReaderCatalog;
  private readonly sources: Sources;
  private readonly direction: number;
  private readonly segments: readonly Segment[];
  private readonly cells: CellGrid;
  private readonly newest: number;
  private readonly out = new NumberWriter();
  private readonly groups: EncodedGroup[] = [];
  private readonly other: GroupSum | undefined;
  private readonly chosen: ReadonlySet<string> | undefined;
  private readonly spread = new GridSpread();
  /** Groups of the units that are being read. */
  private open = new Map<string, GroupSum>();

  constructor(parts: { query: SumQuery; catalog: ReaderCatalog; sources: Sources; slotMs: number }) {
    const { query, catalog, sources, slotMs } = parts;
    this.query = query;
    this.catalog = catalog;
    this.sources = sources;
    this.direction = (DIRECTIONS as readonly string[]).indexOf(query.direction);
    const { newest, keptFrom } = sources.state();
    this.newest = newest;
    this.cells = new CellGrid(query, newest);
    this.segments = planSegments({ from: query.from, to: query.to, stepMs: query.stepMs, slotMs, keptFrom });
    if (query.top === undefined) return;
    const { top, stepMs: _, quantiles: __, ...whole } = query;
    const ranking = new StoreQuery({ ...parts, query: { ...whole, bins: false } });
    this.chosen = ranking.largest(top);
    this.other = new GroupSum({}, this.cells.grid.steps);
  }

  run(): EncodedAnswer {
    this.read((group) => this.groups.push(group.encode(this.out, this.encodeOptions)));
    const isAny = this.other?.isMeasured ?? false;
    return {
      other: this.other && isAny ? this.other.encode(this.out, this.encodeOptions) : null,
      groups: this.groups,
      tiers: tierNames(this.segments),
      cells: this.cells.grid.steps,
      quantiles: this.query.quantiles?.length ?? 0,
      numbers: this.out.finish(),
    };
  }

  /** Keys of the groups with the most requests. */
  private largest(top: number): Set<string> {
    const requests: [key: string, count: number][] = [];
    this.read((group, key) => requests.push([key, group.requests(requestCount)]));
    return new Set(
      requests
        .sort(([, a], [, b]) => b - a)
        .slice(0, top)
        .map(([key]) => key),
    );
  }

  private get encodeOptions() {
    return { grid: this.cells, bins: this.query.bins, quantiles: this.query.quantiles };
  }

  /** Units whose groups may be the same are read together, so that few groups have to be held at once. */
  private read(finished: (group: GroupSum, key: string) => void): void {
    let count = 0;
    for (const partition of this.partitions()) {
      this.open = new Map();
      for (const { unit, segment } of partition) {
        this.checkLimits();
        this.readUnit(unit, segment, count);
      }
      count += this.open.size;
      for (const [key, group] of this.open) finished(group, key);
    }
    this.open = new Map();
  }

  private partitions(): Iterable<{ unit: Unit; segment: Segment }[]> {
    const labels = UNIT_LABELS.filter((label) => this.query.by.includes(label));
    const all = this.segments.flatMap((segment) => this.unitsOf(segment).map((unit) => ({ unit, segment })));
    return Map.groupBy(all, ({ unit }) => keyOf(labels.map((label) => unit.labels[label] ?? ''))).values();
  }

  private unitsOf({ tier }: Segment): Unit[] {
    const asked = [...this.query.by, ...(Object.keys(this.query.match) as SeriesLabel[])];
    const kind = asked.some((label) => PLACE_LABELS.includes(label))
      ? TIER_LIST[tier]?.instances
        ? TARGET
        : PLACE
      : SERVICE;
    return [...this.catalog.units.values()].filter(
      (unit) => unit.kind === kind && UNIT_LABELS.every((label) => this.passes(label, unit.labels[label])),
    );
  }

  private passes(label: SeriesLabel, value = ''): boolean {
    return this.query.match[label]?.includes(value) ?? true;
  }

  private readUnit(unit: Unit, segment: Segment, others: number): void {
    const rows = this.sources.rows(unit, { ...segment, direction: this.direction }, this.membersOf(unit));
    const tails = this.tailsOf(rows);
    const scrapes = rows.filter(({ layout }) => layout !== BLOCK);
    const runs = [...this.sources.coverage(unit, segment), ...scrapes.map(({ t0, t1 }) => ({ from: t0, to: t1 }))]
      .map(({ from, to }) => ({ from: Math.max(from, segment.from), to: Math.min(to, segment.to) }))
      .filter(({ from, to }) => to > from);
    if (runs.length === 0) return;
    const mine = this.announce(unit, others);
    if (mine.size === 0) return;
    for (const group of new Set(mine.values()))
      group.measured(
        runs,
        [...tails.values()].map((row) => this.tailOf(row)),
      );
    const bySeries = new Map<ReadSeries, GroupSum | undefined>();
    const groupOf = (series: ReadSeries): GroupSum | undefined => {
      let group = bySeries.get(series);
      if (!group && !bySeries.has(series)) {
        group = mine.get(this.keyFor(series, unit));
        bySeries.set(series, group);
      }
      return group;
    };
    for (const data of this.sources.blocks(unit, segment, this.direction)) this.addBlock(data, segment, groupOf);
    for (const row of rows)
      if (row.layout === BLOCK) this.addBlock(row.data, segment, groupOf);
      else this.addRow(row, { segment, groupOf, isLast: tails.get(row.unit) === row });
  }

  private membersOf(unit: Unit): readonly Unit[] {
    if (unit.kind !== PLACE) return [];
    return [...this.catalog.units.values()].filter(({ kind, place }) => kind === TARGET && place === unit.id);
  }

  /** The unit's groups by their keys. */
  private announce(unit: Unit, others: number): Map<string, GroupSum> {
    const mine = new Map<string, GroupSum>();
    for (const series of unit.series[this.direction] ?? []) {
      const key = this.keyFor(series, unit);
      if (key !== '' && !mine.has(key)) mine.set(key, this.groupFor(key, series, unit));
    }
    const most = this.query.bins ? MAX_CELLS_WITH_BINS : MAX_CELLS;
    if ((others + this.open.size) * this.cells.grid.steps > most)
      throw new QueryTooLargeError(
        `the answer has more than ${most} points: use a longer step, filter, or group by fewer labels`,
      );
    return mine;
  }

  /** Key of the group that a series is in when it is read for `unit`; empty where the query doesn't want it. */
  private keyFor(series: ReadSeries, unit: Unit): string {
    const labels = { ...series.labels, ...unit.labels };
    const isWanted = (Object.keys(this.query.match) as SeriesLabel[]).every((label) =>
      this.passes(label, labels[label]),
    );
    return isWanted ? keyOf(this.query.by.map((label) => labels[label] ?? '')) : '';
  }

  private groupFor(key: string, series: ReadSeries, unit: Unit): GroupSum {
    if (this.chosen && !this.chosen.has(key) && this.other) return this.other;
    let group = this.open.get(key);
    if (!group) {
      const labels = { ...series.labels, ...unit.labels };
      group = new GroupSum(
        Object.fromEntries(this.query.by.map((label) => [label, labels[label] ?? ''])),
        this.cells.grid.steps,
      );
      this.open.set(key, group);
    }
    return group;
  }

  private tailsOf(rows: readonly LogRow[]): Map<number, LogRow> {
    const last = new Map<number, LogRow>();
    for (const row of rows) {
      const known = last.get(row.unit);
      if (this.catalog.units.get(row.unit)?.kind === TARGET && (!known || row.t1 > known.t1)) last.set(row.unit, row);
    }
    return last;
  }

  /** From a target's last scrape to the newest of all, as long as its next one is not overdue. */
  private tailOf({ t0, t1 }: LogRow): Interval {
    const isDue = this.newest <= t1 + OVERDUE * (t1 - t0);
    return { from: t1, to: isDue ? Math.max(t1, this.newest) : t1 };
  }

  private addBlock(data: Uint8Array, within: Interval, groupOf: GroupOf): void {
    const slots = this.cells.slots(readBlockHead(data), within);
    let group: GroupSum | undefined;
    let series: ReadSeries | undefined;
    const visitor: BlockVisitor = {
      series: (id) => {
        series = this.catalog.series.get(id);
        group = series && groupOf(series);
        return group !== undefined;
      },
      number: (column, values) => {
        if (!group || !series) return;
        if (column >= FIRST_GAUGE) {
          const gauge = group.gauge(column - FIRST_GAUGE);
          for (let i = 0; i < slots.ends.length; i += 2) {
            const cell = slots.ends[i] ?? 0;
            gauge[cell] = (gauge[cell] ?? 0) + (values[slots.ends[i + 1] ?? 0] ?? 0);
          }
          return;
        }
        this.cells.add(group.counter(column), values, slots);
        if (column === TIMED_OUT && series.source === 'upstream')
          this.cells.add(group.timeoutsWithoutSample(), values, slots);
      },
    };
    if (this.query.bins)
      visitor.bin = (key, counts) => {
        if (group && series) this.cells.add(group.bin(series.source, key), counts, slots);
      };
    readBlock(data, visitor);
  }

  private addRow(row: LogRow, { segment, groupOf, isLast }: RowContext): void {
    const interval = { from: row.t0, to: row.t1 };
    const tail = isLast ? this.tailOf(row) : { from: 0, to: 0 };
    const layout = this.catalog.layout(row.layout)[this.direction] ?? [];
    this.spread.set(interval, segment, this.cells.grid);
    const gaugeTimes = { from: Math.max(row.t0, segment.from), to: Math.min(Math.max(row.t1, tail.to), segment.to) };
    let group: GroupSum | undefined;
    let series: ReadSeries | undefined;
    const visitor: RecordVisitor = {
      flow: (position) => {
        series = this.catalog.series.get(layout[position] ?? 0);
        group = series && groupOf(series);
        return group !== undefined;
      },
      number: (column, value) => {
        if (!group || !series) return;
        if (column >= FIRST_GAUGE) {
          const gauge = group.gauge(column - FIRST_GAUGE);
          this.cells.eachMoment(gaugeTimes, (cell) => {
            gauge[cell] = (gauge[cell] ?? 0) + value;
          });
          return;
        }
        if (this.spread.reached > 0) {
          this.spread.addTo(group.counter(column), value);
          if (column === TIMED_OUT && series.source === 'upstream')
            this.spread.addTo(group.timeoutsWithoutSample(), value);
        }
        if (tail.to > tail.from) this.addExpected(group.expectedOf(column), value / (row.t1 - row.t0), tail);
      },
      bin: (key, count) => {
        if (group && series && this.spread.reached > 0) this.spread.addTo(group.bin(series.source, key), count);
      },
    };
    readRecord(row.data, { direction: this.direction, bins: this.query.bins }, visitor);
  }

  private addExpected(column: Float64Array, perMs: number, tail: Interval): void {
    const { fromMs, stepMs, steps } = this.cells.grid;
    for (let cell = Math.max(0, Math.floor((tail.from - fromMs) / stepMs)); cell < steps; cell++) {
      const shared = overlapMs(this.cells.interval(cell), tail);
      if (shared === 0) break;
      column[cell] = (column[cell] ?? 0) + perMs * shared;
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

type GroupOf = (series: ReadSeries) => GroupSum | undefined;

interface RowContext {
  readonly segment: Segment;
  readonly groupOf: GroupOf;
  /** Whether it is its target's newest row. */
  readonly isLast: boolean;
}
