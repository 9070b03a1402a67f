/** What rules need to know, asked of the store as seldom and as few times as may be. */

import type { AlertLabel } from '../config/alerts-schema.ts';
import { latencyOf, latencySamples } from '../measure/cells.ts';
import { type MeasuredGroup, type MeasuredQuery, received, type Sources, sent } from '../measure/measured.ts';
import { RememberedCell } from '../measure/remembered-cell.ts';
import { signal } from '../measure/signals.ts';
import { Slices } from '../measure/slices.ts';
import { requestCount } from '../model/flow.ts';
import { type Labels, labelsKey } from '../model/labels.ts';
import { SIGNAL_UNITS, type SignalName } from '../model/signals.ts';
import type { Cell } from '../store/store.ts';
import { type Budgeted, budgeted, type GoodRequests } from './burn-rate.ts';
import type { Measured } from './judge.ts';

/** One thing to know of every set of labels, over one window. */
export interface Reading {
  readonly windowMs: number;
  /** How long ago the window ended. */
  readonly offsetMs: number;
  readonly by: readonly AlertLabel[];
  readonly direction: 'inbound' | 'outbound';
  readonly of: { readonly signal: SignalName } | { readonly good: GoodRequests };
}

/** What was read of one set of labels. Null where nothing was measured. */
export interface Row {
  readonly labels: Labels;
  readonly value: Measured | Budgeted | null;
}
/** By the key of the labels. */
export type Rows = ReadonlyMap<string, Row>;

/** A window is asked for anew after a part of it, but no later than this. */
const OLDEST_MS = 5 * 60_000;
const PART = 1 / 60;
/** One that ended long ago, in steps that are as long as that, is only what another one is compared with. */
const PART_OF_PAST = 1 / 5;
const LONG_AGO_MS = 60 * 60_000;

interface Asked {
  readonly at: number;
  readonly rows: ReadonlyMap<string, Map<string, KeptRow>>;
}

interface KeptRow extends Row {
  value: Row['value'];
}

interface Asking {
  readonly now: number;
  /** Of the time before: written over, as all rows of all rules, which live until the next time, are dear to collect. */
  readonly before: Asked['rows'] | undefined;
}

/** Readings of earlier evaluations, as long as they may be used. */
export class Readings {
  private readonly slotMs: number;
  private readonly asked = new Map<string, Asked>();

  constructor(slotMs: number) {
    this.slotMs = slotMs;
  }

  /**
   * Asks for what is too old, one query for all readings that can share it. Resolves to what could not be worked out:
   * the reasons, and the readings that therefore are unknown.
   */
  async refresh(sources: Sources, readings: readonly Reading[], now: number): Promise<string[]> {
    const groups = grouped(readings);
    for (const key of this.asked.keys()) if (!groups.has(key)) this.asked.delete(key);
    const problems: string[] = [];
    for (const [key, members] of groups) {
      const known = this.asked.get(key);
      if (known && now - known.at < lifeOf(members[0]) && members.every((reading) => known.rows.has(rowsKey(reading))))
        continue;
      try {
        this.asked.set(key, { at: now, rows: await this.ask(sources, members, { now, before: known?.rows }) });
      } catch (error) {
        this.asked.delete(key);
        problems.push(error instanceof Error ? error.message : String(error));
      }
    }
    return problems;
  }

  /** Undefined where it could not be worked out. */
  rows(reading: Reading): Rows | undefined {
    for (const need of ANSWERED_BY[needOf(reading)]) {
      const rows = this.asked.get(groupKey(reading, need))?.rows.get(rowsKey(reading));
      if (rows) return rows;
    }
    return undefined;
  }

  private async ask(sources: Sources, members: readonly Reading[], { now, before }: Asking): Promise<Asked['rows']> {
    const [first] = members;
    if (!first) return new Map();
    const { slotMs } = this;
    const end = Math.ceil(now / slotMs) * slotMs - first.offsetMs;
    const quantiles = quantilesOf(members);
    const query: MeasuredQuery = {
      from: end - Math.ceil(first.windowMs / slotMs) * slotMs,
      to: end,
      filters: {},
      by: first.by,
      bins: needOf(first) !== 'counts',
      ...(needOf(first) === 'quantiles' ? { quantiles } : {}),
    };
    const groups = await (first.direction === 'outbound' ? sent(sources, query) : received(sources, query));
    return rowsOf(groups, members, { quantiles, before });
  }
}

async function rowsOf(
  groups: readonly MeasuredGroup[],
  members: readonly Reading[],
  { quantiles, before }: { readonly quantiles: readonly number[]; readonly before: Asked['rows'] | undefined },
): Promise<Asked['rows']> {
  const slices = new Slices();
  const wanted = new Map(
    members.map((reading) => {
      const key = rowsKey(reading);
      return [key, { reading, rows: before?.get(key) ?? new Map<string, KeptRow>() }];
    }),
  );
  const kept = [...wanted.values()];
  const keys = new Set<string>();
  for (const { labels, cells } of groups) {
    await slices.pause();
    const key = labelsKey(labels);
    keys.add(key);
    const cell = cells[0] ? new RememberedCell(cells[0]) : null;
    for (const { reading, rows } of kept) {
      const value = read(cell, reading, quantiles);
      const row = rows.get(key);
      if (!row) rows.set(key, { labels, value });
      else if (row.value && value) Object.assign(row.value, value);
      else row.value = value;
    }
  }
  for (const { rows } of kept)
    if (rows.size > keys.size) for (const key of rows.keys()) if (!keys.has(key)) rows.delete(key);
  return new Map([...wanted].map(([key, { rows }]) => [key, rows]));
}

function read(cell: Cell | null, { of }: Reading, quantiles: readonly number[]): Row['value'] {
  if (!cell) return null;
  if ('good' in of) return budgeted(cell, of.good);
  const { value, quantile } = signal(of.signal);
  if (SIGNAL_UNITS[of.signal] !== 'duration') return { value: value(cell), requests: requestCount(cell.counters) };
  const requests = latencySamples(cell) + cell.timeoutsWithoutSample;
  return { value: quantile === undefined ? value(cell) : latencyOf(cell, quantile, quantiles), requests };
}

/** What a query has to come with: latency's quantiles, its whole histogram, or neither. */
type Need = 'counts' | 'quantiles' | 'bins';

/** Any query comes with counts. */
const ANSWERED_BY: Readonly<Record<Need, readonly Need[]>> = {
  counts: ['counts', 'quantiles', 'bins'],
  quantiles: ['quantiles'],
  bins: ['bins'],
};

/** By the key of the query that answers them; the first of each says what that has to come with. */
function grouped(readings: readonly Reading[]): Map<string, Reading[]> {
  const groups = Map.groupBy(readings, (reading) => groupKey(reading, needOf(reading)));
  for (const [key, members] of groups) {
    const [first] = members;
    if (!first || needOf(first) !== 'counts') continue;
    const others = ANSWERED_BY.counts.slice(1).map((need) => groups.get(groupKey(first, need)));
    const host = others.find((other) => other !== undefined);
    if (!host) continue;
    host.push(...members);
    groups.delete(key);
  }
  return groups;
}

function needOf({ of }: Reading): Need {
  if ('good' in of) return of.good === 'success' ? 'counts' : 'bins';
  if (!signal(of.signal).needsBins) return 'counts';
  return 'quantiles';
}

/** The mean comes with any quantile. */
const MEDIAN = [0.5];

function quantilesOf(members: readonly Reading[]): number[] {
  const all = members.flatMap(({ of }) => ('good' in of ? [] : (signal(of.signal).quantile ?? [])));
  return all.length > 0 ? [...new Set(all)].sort((a, b) => a - b) : MEDIAN;
}

function groupKey({ windowMs, offsetMs, by, direction }: Reading, need: Need): string {
  return JSON.stringify([windowMs, offsetMs, [...by].sort(), direction, need]);
}

function rowsKey({ of }: Reading): string {
  return JSON.stringify(of);
}

function lifeOf(reading: Reading | undefined): number {
  const { windowMs = 0, offsetMs = 0 } = reading ?? {};
  return Math.min(OLDEST_MS, windowMs * (offsetMs >= LONG_AGO_MS ? PART_OF_PAST : PART));
}
