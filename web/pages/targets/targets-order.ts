/** Order and search of the targets. Pure. */

import type { TargetStatus } from '../../../server/api/contract.ts';
import { compareNames } from '../../format/names.ts';
import type { Sort } from '../../state/url.ts';

/** Address of a target as it was discovered. */
export function addressOfTarget({
  discoveredLabels,
  labels,
}: Pick<TargetStatus, 'discoveredLabels' | 'labels'>): string {
  return discoveredLabels.__address__ ?? labels.address ?? labels.instance ?? '';
}

/** Identity of a target across refreshes. */
export function targetKey(target: TargetStatus): string {
  return JSON.stringify([addressOfTarget(target), target.labels.service ?? '', target.labels.instance ?? '']);
}

const HEALTH_ORDER: Readonly<Record<TargetStatus['health'], number>> = { down: 0, unknown: 1, up: 2 };

type Value = (target: TargetStatus) => number | string | null;

const VALUES: Readonly<Record<string, Value>> = {
  target: (target) => nameOf(target),
  scraped: (target) => target.lastScrape,
  duration: (target) => target.scrapeDurationMs,
  body: (target) => target.bodyBytes,
  every: (target) => target.intervalMs,
  samples: (target) => target.samples,
  version: (target) => target.envoyVersion,
};

function nameOf(target: TargetStatus): string {
  return `${target.labels.service ?? ''} ${target.labels.instance ?? ''} ${addressOfTarget(target)}`;
}

function byName(a: TargetStatus, b: TargetStatus): number {
  return compareNames(nameOf(a), nameOf(b));
}

/** Targets that are down first, then by name; or by a column. What is not known comes last. */
export function orderTargets(targets: readonly TargetStatus[], sort: Sort | null): TargetStatus[] {
  const value = sort && VALUES[sort.column];
  if (!value) return [...targets].sort((a, b) => HEALTH_ORDER[a.health] - HEALTH_ORDER[b.health] || byName(a, b));
  return [...targets].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || byName(a, b);
    const order = typeof x === 'string' ? compareNames(x, String(y)) : x - Number(y);
    return (sort.descending ? -order : order) || byName(a, b);
  });
}

/** The word of a search that finds a label of just this value. */
export function exactly(name: string, value: string): string {
  return `${name}="${value}"`;
}

/** A search with this word for a label, in place of another one for the same label; without one where it is null. */
export function searchWith(search: string, name: string, value: string | null): string {
  const others = search.split(/\s+/).filter((word) => word !== '' && !word.startsWith(`${name}="`));
  return [...others, ...(value === null ? [] : [exactly(name, value)])].join(' ');
}

/** Names of services, by name, that a search can tell. */
export function servicesOf(targets: readonly TargetStatus[]): string[] {
  const names = new Set(targets.map(({ labels }) => labels.service ?? ''));
  return [...names].filter((name) => /^[^\s"]+$/.test(name)).sort(compareNames);
}

/** Targets of which every word of the search is in a label (as `name=value` too), the health, the error or the version. */
export function searchTargets(targets: readonly TargetStatus[], search: string): TargetStatus[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return targets.filter((target) => {
    const labels = Object.entries({ ...target.discoveredLabels, ...target.labels, health: target.health }).map(
      ([name, value]) => `${name}=${value} ${exactly(name, value)}`,
    );
    const text = [...labels, target.lastError, target.envoyVersion, target.note, target.slowedDown]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
