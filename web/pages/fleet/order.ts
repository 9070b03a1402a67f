/** The order of the fleet: what wants attention first, or by a column. Pure. */

import { judge } from '../../figures/health.ts';
import { compareNames } from '../../format/names.ts';
import type { ListedService } from '../../listed-service.ts';
import type { Group, Sort } from '../../state/url.ts';

/** Identity of a service across refreshes. */
export function serviceKey({ service, namespace }: Pick<ListedService, 'service' | 'namespace'>): string {
  return JSON.stringify([namespace, service]);
}

type Compare = (a: ListedService, b: ListedService) => number;

/**
 * Services by badness, worst first:
 * 1. urgency (mostly failing or not answering, failing, degraded, nothing known, good, no traffic: see `judge`);
 * 2. among those that fail, how many requests fail each second: that many users are hurt;
 * 3. among those, which share of its requests: what a failing service brings down around it fails a smaller one;
 * 4. how slow: p99, where enough was measured to tell;
 * 5. how much traffic;
 * 6. the name.
 * Amounts are compared by order of size only, so that rows do not change places with every breath of the traffic.
 */
function badness(service: ListedService): readonly number[] {
  const { urgency } = judge(service);
  const failuresPerSecond = urgency >= 3 ? (service.requestRate ?? 0) * (service.errorRate ?? 0) : 0;
  return [
    urgency,
    sizeClass(failuresPerSecond, 2),
    sizeClass(urgency >= 3 ? (service.errorRate ?? 0) : 0, 1.5),
    sizeClass(soundP99(service), 1.5),
    sizeClass(service.requestRate ?? 0, 2),
  ];
}

function byBadness(services: readonly ListedService[]): ListedService[] {
  return services
    .map((service) => ({ service, marks: badness(service) }))
    .sort((a, b) => compareMarks(b.marks, a.marks) || byName(a.service, b.service))
    .map(({ service }) => service);
}

function compareMarks(a: readonly number[], b: readonly number[]): number {
  for (const [index, mark] of a.entries()) {
    const difference = mark - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function soundP99({ state, latencyMs }: ListedService): number {
  return state === 'ok' ? (latencyMs.p99 ?? 0) : 0;
}

/** Amounts within one factor of each other are one class; 0 is below all. */
function sizeClass(amount: number, factor: number): number {
  return amount > 0 ? Math.floor(Math.log(amount) / Math.log(factor)) : -1000;
}

function byName(a: ListedService, b: ListedService): number {
  return compareNames(a.service, b.service) || compareNames(a.namespace, b.namespace);
}

export type Value = (service: ListedService) => number | string | null;

const VALUES: Readonly<Record<string, Value>> = {
  service: (service) => service.service,
  rate: (service) => service.requestRate,
  success: (service) => service.successRate,
  p50: (service) => service.latencyMs.p50,
  p95: (service) => service.latencyMs.p95,
  p99: (service) => service.latencyMs.p99,
  instances: (service) => service.instances.total,
  regions: (service) => service.regions.join(' '),
  alerts: ({ alerts: { firing, pending } }) => firing + pending / 1e6,
};

/** Services in the order asked for, by a column of the table's own or of `further`; what is not known comes last. */
export function orderServices(
  services: readonly ListedService[],
  sort: Sort | null,
  further: Readonly<Record<string, Value>> = {},
): ListedService[] {
  const value = sort && (VALUES[sort.column] ?? further[sort.column]);
  return value ? [...services].sort(byColumn(value, sort.descending)) : byBadness(services);
}

function byColumn(value: Value, descending: boolean): Compare {
  return (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || byName(a, b);
    const order = typeof x === 'string' ? compareNames(x, String(y)) : x - Number(y);
    return (descending ? -order : order) || byName(a, b);
  };
}

/** The name of a service's group. One that runs in several regions belongs to all of them at once, and stands once. */
export function groupOf({ namespace, regions }: ListedService, group: Exclude<Group, ''>): string {
  if (group === 'namespace') return namespace || 'no namespace';
  return [...regions].sort(compareNames).join(' and ') || 'no region known';
}

/** Brings the rows of each group together, in the order in which the groups first occur. */
export function groupServices(services: readonly ListedService[], group: Group): ListedService[] {
  if (group === '') return [...services];
  const groups = new Map<string, ListedService[]>();
  for (const service of services) {
    const name = groupOf(service, group);
    const rows = groups.get(name);
    if (rows) rows.push(service);
    else groups.set(name, [service]);
  }
  return [...groups.values()].flat();
}

/** Keeps rows where the reader last saw them; new ones come after. For while somebody points at a row. */
export function holdOrder(services: readonly ListedService[], held: readonly string[]): ListedService[] {
  const place = new Map(held.map((key, index) => [key, index]));
  const placeOf = (service: ListedService) => place.get(serviceKey(service)) ?? held.length;
  return services
    .map((service, index) => ({ service, index }))
    .sort((a, b) => placeOf(a.service) - placeOf(b.service) || a.index - b.index)
    .map(({ service }) => service);
}

/** Services of which every word of the search is in the name, namespace, a region or the role. */
export function searchServices(services: readonly ListedService[], search: string): ListedService[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return services.filter((service) => {
    const text = [service.service, service.namespace, service.role, ...service.regions].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
