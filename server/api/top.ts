/** The groups with the most requests, and the rest of them as one. */

import { eachCell, mergeCells } from '../measure/cells.ts';
import type { MeasuredGroup, MeasuredLabel, MeasuredQuery } from '../measure/measured.ts';
import { inSlices } from '../measure/slices.ts';
import { requestCount } from '../model/flow.ts';
import { RequestError } from './params.ts';

export interface TopGroups {
  readonly kept: readonly MeasuredGroup[];
  readonly other: MeasuredGroup | null;
}

type Ask = (query: MeasuredQuery) => Promise<MeasuredGroup[]>;

const FILTERED: readonly MeasuredLabel[] = ['service', 'namespace', 'instance', 'region', 'zone'];

/** Without `top`, all groups. @throws RequestError where histograms of the rest could not be added up by the store. */
export async function topGroups(query: MeasuredQuery, top: number | undefined, ask: Ask): Promise<TopGroups> {
  if (top === undefined) return { kept: await ask(query), other: null };
  return query.bins ? topWithLatency(query, top, ask) : await topOf(await ask(query), top);
}

async function topOf(groups: readonly MeasuredGroup[], top: number): Promise<TopGroups> {
  const ranked = await byRequests(groups);
  const rest = ranked.slice(top);
  const [first] = rest;
  if (!first) return { kept: ranked, other: null };
  const cells = await inSlices(first.cells.keys(), (index) =>
    mergeCells(rest.map(({ cells }) => cells[index] ?? null)),
  );
  return { kept: ranked.slice(0, top), other: { labels: {}, cells } };
}

/** Ranks by a query without latency, then has the store add up the histograms of the rest. */
async function topWithLatency(query: MeasuredQuery, top: number, ask: Ask): Promise<TopGroups> {
  const [label, ...others] = query.by;
  if (label === undefined) return { kept: await ask(query), other: null };
  if (others.length > 0 || !FILTERED.includes(label))
    throw new RequestError(`top of a latency takes one label in by: one of ${FILTERED.join(', ')}`);
  const { stepMs: _, quantiles: __, ...once } = query;
  const ranked = await byRequests(await ask({ ...once, bins: false }));
  const names = ranked.map(({ labels }) => labels[label] ?? '');
  const [best, rest] = [names.slice(0, top), names.slice(top)];
  if (rest.length === 0) return { kept: await ask(query), other: null };
  const only = (values: readonly string[]) => ({ filters: { ...query.filters, [label]: values } });
  const [kept, other] = await Promise.all([ask({ ...query, ...only(best) }), ask({ ...query, ...only(rest), by: [] })]);
  return { kept: await byRequests(kept), other: other[0] ?? null };
}

async function byRequests(groups: readonly MeasuredGroup[]): Promise<MeasuredGroup[]> {
  const requests = await inSlices(groups, requestsOf);
  const order = [...groups.keys()].sort((a, b) => (requests[b] ?? 0) - (requests[a] ?? 0));
  return order.flatMap((index) => groups[index] ?? []);
}

function requestsOf(group: MeasuredGroup): number {
  let sum = 0;
  eachCell(group, (cell) => {
    if (cell) sum += requestCount(cell.counters);
  });
  return sum;
}
