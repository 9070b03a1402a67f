/**
 * Answers queries for windows that move on through the past, one step after the other: what comes in is added and what
 * leaves is taken away, so that a year's minutes cost about as much as reading them twice.
 */

import { Slices } from '../../measure/slices.ts';
import { keyOf } from '../../model/labels.ts';
import type { Group, QueryLimits, SeriesLabels, Store, SumAnswer, SumQuery } from '../../store/store.ts';
import { CellChunks, type CellSeries } from './cell-chunks.ts';
import { WindowSum } from './window-sum.ts';

interface Window {
  readonly series: CellSeries['query'];
  from: number;
  to: number;
  groups: Map<string, { readonly labels: SeriesLabels; readonly sum: WindowSum }>;
  /** Cells that come in and that leave; undefined before the window has moved. */
  coming: CellChunks | undefined;
  leaving: CellChunks | undefined;
  stepMs: number;
}

const NOTHING = { groups: [], index: 0 } as const;
/** Windows that nobody has asked for in so many evaluations are forgotten. */
const FORGOTTEN_AFTER = 100;

export class SlidingStore implements Pick<Store, 'sums'> {
  private readonly store: Pick<Store, 'sums'>;
  private readonly windows = new Map<string, { readonly window: Window; asked: number }>();
  private readonly slices = new Slices();
  private readonly moment: () => number;
  private queue: Promise<unknown> = Promise.resolve();
  private evaluations = 0;
  /** Why the store did not answer; undefined while it did. */
  failure: unknown;

  /** @param moment the time that evaluations have come to; @param limits of every query. */
  constructor(store: Pick<Store, 'sums'>, { moment, limits }: { moment: () => number; limits: QueryLimits }) {
    this.store = { sums: (query) => store.sums({ ...query, limits }) };
    this.moment = moment;
  }

  /** Before each evaluation. */
  begin(): void {
    this.evaluations++;
    for (const [key, { asked }] of this.windows)
      if (this.evaluations - asked > FORGOTTEN_AFTER) this.windows.delete(key);
  }

  /** Forgets all windows: the next ones are of other steps. */
  forget(): void {
    this.windows.clear();
  }

  /** One query after the other, so that the store has time for others. */
  sums(query: SumQuery): Promise<SumAnswer> {
    const answer = this.queue.then(() => this.answer(query));
    this.queue = answer.catch((error: unknown) => {
      this.failure ??= error;
    });
    return answer;
  }

  private async answer(query: SumQuery): Promise<SumAnswer> {
    const { from, to, stepMs: _, quantiles, limits: __, ...series } = query;
    const key = JSON.stringify([series, to - from, this.moment() - to]);
    const window = this.windows.get(key)?.window ?? newWindow(series);
    this.windows.set(key, { window, asked: this.evaluations });
    await this.move(window, from, to);
    const groups: Group[] = [];
    for (const { labels, sum } of window.groups.values()) {
      await this.slices.pause();
      const cell = sum.cell(series.bins ? quantiles : undefined);
      if (cell) groups.push({ labels, cells: [cell] });
    }
    return { groups, other: null, subtotals: [], tiers: [] };
  }

  private async move(window: Window, from: number, to: number): Promise<void> {
    const by = to - window.to;
    if (by === 0 && from === window.from) return;
    const isNext = by > 0 && from - window.from === by && from < window.to;
    if (!isNext || (window.coming && by % window.stepMs !== 0)) {
      await this.fill(window, from, to);
      return;
    }
    this.prepare(window, by);
    for (let at = window.to; at < to; at += window.stepMs) await this.come(window, at);
    for (let at = window.from; at < from; at += window.stepMs) await this.leave(window, at);
    window.from = from;
    window.to = to;
  }

  /** Where a window's length is whole steps, both its ends read the same cells. */
  private prepare(window: Window, stepMs: number): void {
    if (window.coming) return;
    const query = window.series;
    window.stepMs = stepMs;
    window.coming = new CellChunks(this.store, { query, stepMs, anchor: window.to });
    const isWhole = (window.to - window.from) % stepMs === 0;
    window.leaving = isWhole ? window.coming : new CellChunks(this.store, { query, stepMs, anchor: window.from });
  }

  private async fill(window: Window, from: number, to: number): Promise<void> {
    const { groups } = await this.store.sums({ ...window.series, from, to });
    window.groups.clear();
    window.coming = undefined;
    window.leaving = undefined;
    window.from = from;
    window.to = to;
    for (const { labels, cells } of groups) {
      await this.slices.pause();
      sumOf(window, labels).add(cells[0] ?? null);
    }
  }

  private async come(window: Window, at: number): Promise<void> {
    const { groups, index } = (await window.coming?.at(at)) ?? NOTHING;
    const missing = new Set(window.groups.keys());
    for (const { labels, cells } of groups) {
      await this.slices.pause();
      const cell = cells[index];
      if (!cell) continue;
      missing.delete(keyOfLabels(labels));
      sumOf(window, labels).add(cell);
    }
    for (const key of missing) window.groups.get(key)?.sum.add(null);
  }

  private async leave(window: Window, at: number): Promise<void> {
    const { groups, index } = (await window.leaving?.at(at)) ?? NOTHING;
    const from = at + window.stepMs;
    const left = new Set(window.groups.keys());
    for (const { labels, cells } of groups) {
      await this.slices.pause();
      const key = keyOfLabels(labels);
      left.delete(key);
      window.groups.get(key)?.sum.leave(cells[index] ?? null, from);
    }
    for (const key of left) window.groups.get(key)?.sum.leave(null, from);
    for (const [key, { sum }] of window.groups) if (sum.isEmpty) window.groups.delete(key);
  }
}

function newWindow(series: CellSeries['query']): Window {
  return { series, from: 0, to: 0, groups: new Map(), coming: undefined, leaving: undefined, stepMs: 0 };
}

function sumOf(window: Window, labels: SeriesLabels): WindowSum {
  const key = keyOfLabels(labels);
  const known = window.groups.get(key);
  if (known) return known.sum;
  const sum = new WindowSum();
  window.groups.set(key, { labels, sum });
  return sum;
}

function keyOfLabels(labels: SeriesLabels): string {
  return keyOf(Object.entries(labels).flat());
}
