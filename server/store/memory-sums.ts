/** Answers a query from the rows in memory, in the plainest exact way. */

import { COUNTER_INDEX, COUNTERS, requestCount, STORED_GAUGES } from '../model/flow.ts';
import { BinSum, mean, quantile } from '../model/histogram.ts';
import { keyOf } from '../model/labels.ts';
import { type Interval, overlapMs, spreadCount } from '../model/spread.ts';
import { lengthOf, partsIn, unionOf } from './coverage.ts';
import { binsIn, type MemoryRow, type Unit } from './memory-rows.ts';
import {
  type Cell,
  type Group,
  QueryStoppedError,
  QueryTooLargeError,
  type SeriesLabel,
  type SeriesLabels,
  type SumAnswer,
  type SumQuery,
  TIERS,
  type TierName,
} from './store.ts';

/** Most cells of an answer; one with a histogram takes ten times the memory. */
const MAX_CELLS = 1_000_000;
const MAX_CELLS_WITH_BINS = 100_000;

/** A row of a unit, and the group that it counts for. */
interface Found {
  readonly unit: Unit;
  readonly row: MemoryRow;
  readonly tier: TierName;
}

interface Gathered {
  readonly labels: SeriesLabels;
  readonly units: Set<Unit>;
  readonly found: Found[];
}

/** `newest`: end of the newest scrape of all. @throws QueryTooLargeError, QueryStoppedError */
export function sumRows(units: Iterable<Unit>, query: SumQuery, newest: number): SumAnswer {
  const cells = cellsOf(query);
  const groups = [...gather(units, query, newest).values()];
  checkSize(groups.length * cells.length, query);
  const tiers = new Set(groups.flatMap(({ found }) => found.map(({ tier }) => tier)));
  const { kept, others } = split(groups, query);
  const finish = (group: Gathered): Group => {
    checkTime(query);
    return { labels: group.labels, cells: finishGroup(group, { cells, query, newest }) };
  };
  return {
    groups: kept.map(finish),
    other: others.length > 0 ? finish(joined(others)) : null,
    subtotals: (query.subtotals ?? []).map((by) => subtotals(groups, by).map(finish)),
    tiers: TIERS.filter((tier) => tiers.has(tier)),
  };
}

function cellsOf({ from, to, stepMs = to - from }: SumQuery): Interval[] {
  const count = Math.max(1, Math.ceil((to - from) / stepMs));
  return Array.from({ length: count }, (_, i) => ({
    from: from + i * stepMs,
    to: Math.min(from + (i + 1) * stepMs, to),
  }));
}

function checkSize(cells: number, { bins }: SumQuery): void {
  const most = bins ? MAX_CELLS_WITH_BINS : MAX_CELLS;
  if (cells > most)
    throw new QueryTooLargeError(
      `the answer has more than ${most} points: use a longer step, filter, or group by fewer labels`,
    );
}

function checkTime({ limits }: SumQuery): void {
  if (!limits) return;
  if (limits.cancelled[0] === 1) throw new QueryStoppedError('the query was cancelled');
  if (Date.now() > limits.deadline)
    throw new QueryStoppedError('the query took too long: ask for a shorter window or a longer step, or filter');
}

/** Rows by group. A unit that was not measured in the time of the query takes no part. */
function gather(units: Iterable<Unit>, query: SumQuery, newest: number): Map<string, Gathered> {
  const groups = new Map<string, Gathered>();
  for (const unit of units) {
    checkTime(query);
    if (partsIn(unit.runs, query).length === 0) continue;
    for (const tier of TIERS)
      for (const row of unit.rows[tier].values()) {
        const labels = labelsOf(unit, row);
        if (row.flow.direction !== query.direction || !matches(labels, query)) continue;
        const values = query.by.map((label) => labels[label]);
        const key = keyOf(values);
        const group: Gathered = groups.get(key) ?? {
          labels: Object.fromEntries(query.by.map((label, i) => [label, values[i] ?? ''])),
          units: new Set(),
          found: [],
        };
        groups.set(key, group);
        group.units.add(unit);
        const { from, to } = row.interval;
        if (from < query.to && Math.max(to, tailOf(unit, row, newest).to) > query.from)
          group.found.push({ unit, row, tier });
      }
  }
  return groups;
}

function labelsOf({ place }: Unit, { flow }: MemoryRow): Record<SeriesLabel, string> {
  return { ...place, peer: flow.peer, peer_namespace: flow.peerNamespace, peer_zone: flow.peerZone ?? '' };
}

function matches(labels: Record<SeriesLabel, string>, { match, without }: SumQuery): boolean {
  if (without?.some((left) => left.keys.includes(keyOf(left.labels.map((label) => labels[label]))))) return false;
  return (Object.keys(match) as SeriesLabel[]).every((label) => match[label]?.includes(labels[label]) ?? true);
}

function split(groups: readonly Gathered[], query: SumQuery): { kept: Gathered[]; others: Gathered[] } {
  if (query.top === undefined || groups.length <= query.top) return { kept: [...groups], others: [] };
  const requests = new Map(groups.map((group) => [group, requestsOf(group, query)]));
  const ranked = groups.toSorted((a, b) => (requests.get(b) ?? 0) - (requests.get(a) ?? 0));
  return { kept: ranked.slice(0, query.top), others: ranked.slice(query.top) };
}

function requestsOf({ found }: Gathered, query: SumQuery): number {
  return found.reduce((sum, { row }) => sum + requestCount(countersIn(row, query)), 0);
}

function subtotals(groups: readonly Gathered[], by: readonly SeriesLabel[]): Gathered[] {
  const labelsOf = ({ labels }: Gathered) => Object.fromEntries(by.map((label) => [label, labels[label] ?? '']));
  const parts = Map.groupBy(groups, (group) => keyOf(Object.values(labelsOf(group))));
  return [...parts.values()].map((members) => ({ ...joined(members), labels: members[0] ? labelsOf(members[0]) : {} }));
}

function joined(groups: readonly Gathered[]): Gathered {
  return {
    labels: {},
    units: new Set(groups.flatMap(({ units }) => [...units])),
    found: groups.flatMap(({ found }) => found),
  };
}

function countersIn({ counters, interval }: MemoryRow, within: Interval): Float64Array {
  return counters.map((count) => (count === 0 ? 0 : spreadCount(count, interval, within.from, within.to)));
}

/**
 * The time from a unit's last scrape to the newest scrape of any, as long as its next one is not overdue, for the
 * rows of that last scrape; empty for all others.
 */
function tailOf({ last }: Unit, row: MemoryRow | undefined, newest: number): Interval {
  if (row && row.interval.to !== last.to) return { from: 0, to: 0 };
  const overdue = last.to + 1.5 * (last.to - last.from);
  return { from: last.to, to: newest <= overdue ? newest : last.to };
}

/** Whether a unit was being measured at a moment, or at the newest scrape of all if that was before. */
function holds(unit: Unit, moment: number, newest: number): boolean {
  const at = Math.min(moment, newest);
  return [...unit.runs, tailOf(unit, undefined, newest)].some(({ from, to }) => from < at && to >= at);
}

interface Asked {
  readonly cells: readonly Interval[];
  readonly query: SumQuery;
  readonly newest: number;
}

function finishGroup({ units, found }: Gathered, asked: Asked): (Cell | null)[] {
  const members = [...units];
  const runs = unionOf(members.flatMap((unit) => unit.runs));
  const measured = unionOf([...runs, ...members.map((unit) => tailOf(unit, undefined, asked.newest))]);
  const byCell = foundByCell(found, asked);
  return asked.cells.map((cell, index) => {
    if (partsIn(runs, cell).length === 0) return null;
    const current = new Set(members.filter((unit) => holds(unit, cell.to, asked.newest)));
    return finishCell({ cell, found: byCell[index] ?? [], measured: partsIn(measured, cell), current }, asked);
  });
}

/** Which rows reach into each cell, by themselves or by their tail. */
function foundByCell(found: readonly Found[], { cells, query, newest }: Asked): Found[][] {
  const byCell: Found[][] = cells.map(() => []);
  const cellMs = query.stepMs ?? query.to - query.from;
  for (const one of found) {
    const end = Math.max(one.row.interval.to, tailOf(one.unit, one.row, newest).to);
    const first = Math.max(0, Math.floor((one.row.interval.from - query.from) / cellMs));
    for (let index = first; index < cells.length && (cells[index]?.from ?? end) < end; index++)
      byCell[index]?.push(one);
  }
  return byCell;
}

interface CellParts {
  readonly cell: Interval;
  readonly found: readonly Found[];
  readonly measured: readonly Interval[];
  /** Units that were measured at the end of the cell. */
  readonly current: ReadonlySet<Unit>;
}

function finishCell({ cell, found, measured, current }: CellParts, { query, newest }: Asked): Cell {
  const sum = { counters: new Float64Array(COUNTERS.length), expected: new Float64Array(COUNTERS.length) };
  const latency = { bins: new BinSum(), timeoutsWithoutSample: 0, downstreamSamples: 0, upstreamSamples: 0 };
  for (const { unit, row } of found) {
    const counters = countersIn(row, cell);
    const tailShare = overlapMs(tailOf(unit, row, newest), cell) / (row.interval.to - row.interval.from);
    for (let i = 0; i < COUNTERS.length; i++) {
      sum.counters[i] = (sum.counters[i] ?? 0) + (counters[i] ?? 0);
      sum.expected[i] = (sum.expected[i] ?? 0) + (row.counters[i] ?? 0) * tailShare;
    }
    if (row.flow.source === 'upstream') latency.timeoutsWithoutSample += counters[COUNTER_INDEX.timed_out] ?? 0;
    if (query.bins) addBins(latency, row, cell);
  }
  const seconds = lengthOf(measured) / 1000;
  const { bins, ...rest } = latency;
  return {
    counters: sum.counters,
    rates: sum.counters.map((count, i) => (count + (sum.expected[i] ?? 0)) / seconds),
    gauges: current.size > 0 ? gaugesAtEnd(found, current, { cell, moment: Math.min(cell.to, newest) }) : null,
    ...latencyOf(bins, query, rest.timeoutsWithoutSample),
    ...rest,
    measured,
  };
}

interface CellEnd {
  readonly cell: Interval;
  readonly moment: number;
}

interface Latency {
  readonly bins: BinSum;
  downstreamSamples: number;
  upstreamSamples: number;
}

function addBins(latency: Latency, row: MemoryRow, cell: Interval): void {
  const before = latency.bins.samples;
  latency.bins.addBins(binsIn(row, cell));
  const samples = latency.bins.samples - before;
  if (row.flow.source === 'downstream') latency.downstreamSamples += samples;
  else latency.upstreamSamples += samples;
}

function latencyOf(sum: BinSum, { quantiles }: SumQuery, slower: number): Pick<Cell, 'bins' | 'quantiles' | 'meanMs'> {
  const bins = sum.toSparse();
  const meanMs = mean(bins);
  if (!quantiles) return { bins, quantiles: [], meanMs };
  return { bins: { keys: [], counts: [] }, quantiles: quantiles.map((q) => quantile(bins, q, slower)), meanMs };
}

/**
 * Of each flow of the units that were measured at the end of a cell, the newest row that reaches into it; where a clock
 * was put back, the first that was told of the moment.
 */
function gaugesAtEnd(found: readonly Found[], current: ReadonlySet<Unit>, { cell, moment }: CellEnd): Float64Array {
  const newest = new Map<Unit, Map<string, MemoryRow>>();
  const holds = ({ interval: { from, to } }: MemoryRow) => from < moment && to >= moment;
  for (const { unit, row } of found) {
    if (!current.has(unit) || overlapMs(row.interval, cell) === 0) continue;
    const flows = newest.get(unit) ?? new Map<string, MemoryRow>();
    newest.set(unit, flows);
    const key = keyOf([row.flow.peer, row.flow.peerNamespace, row.flow.source]);
    const known = flows.get(key);
    if (!known || (!holds(known) && (holds(row) || known.interval.to <= row.interval.to))) flows.set(key, row);
  }
  const gauges = new Float64Array(STORED_GAUGES.length);
  for (const flows of newest.values())
    for (const row of flows.values())
      for (let i = 0; i < gauges.length; i++) gauges[i] = (gauges[i] ?? 0) + (row.gauges[i] ?? 0);
  return gauges;
}
