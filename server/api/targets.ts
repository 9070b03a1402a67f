import type { Discovery } from '../discovery/discovery.ts';
import type { Health, LiveTarget } from '../live/live.ts';
import { FILTERS, type Filters, passes } from '../measure/filters.ts';
import { keyOf } from '../model/labels.ts';
import type { HttpSdAnswer, TargetStatus, TargetsAnswer } from './contract.ts';
import { filtersOf, listOf, type RawParams, wholeNumber } from './params.ts';

/** The part of discovery that answers need. */
export type DiscoveryView = Pick<Discovery, 'dropped' | 'note' | 'states'>;

export const TARGETS_PARAMS = [...FILTERS, 'health', 'limit', 'offset'];
export const HEALTHS = ['up', 'down', 'unknown'] as const;
const MAX_TARGETS = 1_000_000;

/** A target with the labels that it shows, and what it is sorted by. */
interface Row {
  readonly live: LiveTarget;
  readonly labels: Record<string, string>;
}

/** The targets that pass the filters, one page of them, with what each said of itself and how its last scrape went. */
export function listTargets(
  targets: readonly LiveTarget[],
  params: RawParams,
  discovery: DiscoveryView,
): TargetsAnswer {
  const healths = listOf(params, 'health', HEALTHS);
  const offset = wholeNumber(params, 'offset', { min: 0, max: MAX_TARGETS }) ?? 0;
  const limit = wholeNumber(params, 'limit', { min: 1, max: MAX_TARGETS }) ?? MAX_TARGETS;
  const rows = rowsOf(targets, filtersOf(params));
  const wanted = healths.length === 0 ? rows : rows.filter(({ live }) => healths.includes(live.health));
  const dropped = discovery.dropped();
  return {
    targets: sorted(wanted)
      .slice(offset, offset + limit)
      .map((row) => targetStatus(row, discovery)),
    total: wanted.length,
    counts: countsOf(rows),
    dropped: dropped.list.map(({ discoveredLabels, reason }) => ({
      discoveredLabels: { ...discoveredLabels },
      reason,
    })),
    droppedTotal: dropped.total,
    discovery: discovery.states(),
  };
}

/** All targets that Prometheus could reach, in the form of its http_sd; those of equal labels in one group. */
export function httpSd(targets: readonly LiveTarget[], filters: Filters): HttpSdAnswer {
  const groups = new Map<string, HttpSdAnswer[number]>();
  for (const { live, labels } of sorted(rowsOf(targets, filters))) {
    const { address } = live.target;
    if (address.scheme === 'unix') continue;
    const { address: _, ...own } = labels;
    const told = address.scheme === 'https' ? { ...own, __scheme__: 'https' } : own;
    const key = keyOf(Object.entries(told).flat());
    const group = groups.get(key) ?? { targets: [], labels: told };
    groups.set(key, group);
    group.targets.push(live.target.key.replace(/^https:\/\//, ''));
  }
  return [...groups.values()];
}

function rowsOf(targets: readonly LiveTarget[], filters: Filters): Row[] {
  const rows: Row[] = [];
  for (const live of targets) {
    const labels = { ...live.target.labels, ...shown(live.identity), address: live.target.key };
    if (passes(filters, labels)) rows.push({ live, labels });
  }
  return rows;
}

/** By service, then instance, then address. */
function sorted(rows: readonly Row[]): Row[] {
  return rows.toSorted(
    (a, b) =>
      order(a.labels.service, b.labels.service) ||
      order(a.labels.instance, b.labels.instance) ||
      order(a.labels.address, b.labels.address),
  );
}

function order(a = '', b = ''): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function countsOf(rows: readonly Row[]): Record<Health, number> {
  const counts = { up: 0, down: 0, unknown: 0 };
  for (const { live } of rows) counts[live.health]++;
  return counts;
}

function targetStatus({ live, labels }: Row, discovery: DiscoveryView): TargetStatus {
  return {
    labels,
    discoveredLabels: { ...live.target.discoveredLabels },
    health: live.health,
    lastError: live.lastError,
    lastScrape: live.lastScrape,
    scrapeDurationMs: live.durationMs === null ? null : Math.round(live.durationMs * 1000) / 1000,
    bodyBytes: live.bodyBytes,
    samples: live.samples,
    envoyVersion: live.envoyVersion,
    startedAt: live.startedAt,
    restarts: [...live.restarts],
    certificateExpiry: live.certificateExpiry === null ? null : live.certificateExpiry * 1000,
    precision: live.precision,
    note: discovery.note(live.target.key),
    failureSource: live.failureSource,
    clusters: live.clusters && { ...live.clusters, durationMs: Math.round(live.clusters.durationMs * 1000) / 1000 },
    intervalMs: live.pace?.intervalMs ?? null,
    slowedDown: live.pace?.slowedDown ?? '',
    busyShare: live.pace && live.durationMs !== null ? live.durationMs / live.pace.intervalMs : null,
  };
}

function shown(identity: LiveTarget['identity']): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(identity ?? {})) if (value !== '') labels[name] = value;
  return labels;
}
