import type { LiveTarget } from '../live/live.ts';
import { type KnownService, type ServiceDirectory, type ServiceName, serviceKey } from '../live/services.ts';
import type { LatencySource } from '../model/flow.ts';
import type { Cell } from '../store/store.ts';
import type {
  InstanceFigures,
  PeerFigures,
  RegionFigures,
  ServiceAnswer,
  ServiceSummary,
  ServicesAnswer,
} from './contract.ts';
import { failures, figures, mergeCells } from './figures.ts';
import { cellsByService, type MeasuredGroup, peerOf, received, type Sources } from './measured.ts';
import { type Filters, RequestError, type TimeRange } from './params.ts';

/** Every service that has a target, or that was called in the window. */
export async function listServices(sources: Sources, range: TimeRange, filters: Filters): Promise<ServicesAnswer> {
  const groups = await received(sources, { ...range, filters, by: ['service', 'namespace'], bins: true });
  const cells = cellsByService(groups);
  const names = new Map<string, ServiceName>(
    sources.directory
      .all()
      .filter((service) => passes(service, filters))
      .map((service) => [serviceKey(service), service]),
  );
  for (const { labels } of groups) {
    const name = { service: labels.service ?? '', namespace: labels.namespace ?? '' };
    names.set(serviceKey(name), name);
  }
  const services = [...names].map(([key, name]) => summary(sources.directory, name, cells.get(key) ?? null));
  services.sort((a, b) => compare(a.service, b.service) || compare(a.namespace, b.namespace));
  return { at: range.to, windowMs: range.to - range.from, window: range.window, services };
}

/** @throws RequestError 404 for a service that is neither known nor measured in the window. */
export async function describeService(
  sources: Sources,
  name: { service: string; namespace: string | undefined },
  range: TimeRange,
): Promise<ServiceAnswer> {
  const known = findKnown(sources.directory, name);
  const filters: Filters = {
    service: [name.service],
    ...(name.namespace === undefined ? {} : { namespace: [name.namespace] }),
  };
  const own = await received(sources, {
    ...range,
    filters,
    by: ['service', 'namespace', 'instance', 'region', 'zone'],
    bins: true,
  });
  const namespace = known?.namespace ?? name.namespace ?? own[0]?.labels.namespace ?? '';
  const groups = own.filter(({ labels }) => (labels.namespace ?? '') === namespace);
  if (!known && groups.length === 0)
    throw new RequestError(
      `no service "${name.service}" is known, and none was called in the last ${range.window}`,
      404,
      'not_found',
    );
  const total = mergeCells(groups.map(({ cells }) => cells[0] ?? null));
  const self = { service: name.service, namespace };
  const base = summary(sources.directory, self, total);
  const [upstreams, downstreams] = await Promise.all([
    listUpstreams(sources, self, range),
    listDownstreams(sources, self, range),
  ]);
  const seen = base.vantage === 'server' ? groups : [];
  return {
    at: range.to,
    windowMs: range.to - range.from,
    window: range.window,
    ...base,
    byInstance: byInstance(seen, known?.targets ?? []),
    byRegion: byRegion(seen),
    upstreams,
    downstreams,
    failures: failures(total),
  };
}

function findKnown(
  directory: ServiceDirectory,
  { service, namespace }: { service: string; namespace: string | undefined },
): KnownService | undefined {
  if (namespace !== undefined) return directory.get({ service, namespace });
  return directory.all().find((known) => known.service === service);
}

function passes({ service, namespace, targets }: KnownService, filters: Filters): boolean {
  if (filters.service && !filters.service.includes(service)) return false;
  if (filters.namespace && !filters.namespace.includes(namespace)) return false;
  return targets.some(({ identity, inbound }) => {
    if (!filters.region && !filters.zone && !filters.instance) return true;
    if (!identity || !inbound) return false;
    return (['region', 'zone', 'instance'] as const).every(
      (label) => filters[label]?.includes(identity[label]) ?? true,
    );
  });
}

function summary(directory: ServiceDirectory, name: ServiceName, cell: Cell | null): ServiceSummary {
  const known = directory.get(name);
  const seenByServers = known ? known.inbound : (cell?.downstreamSamples ?? 0) > 0;
  const targets = known?.targets ?? [];
  return {
    service: name.service,
    namespace: name.namespace,
    vantage: seenByServers ? 'server' : 'client',
    role: known?.role ?? 'sidecar',
    regions: [...(known?.regions ?? [])],
    instances: { up: targets.filter(({ health }) => health === 'up').length, total: targets.length },
    ...figures(cell, sourceAt(seenByServers)),
    alerts: { firing: 0, pending: 0 },
  };
}

function sourceAt(server: boolean): LatencySource {
  return server ? 'downstream' : 'upstream';
}

function byInstance(groups: readonly MeasuredGroup[], targets: readonly LiveTarget[]): InstanceFigures[] {
  const health = new Map(
    targets.flatMap((target) => (target.identity ? [[target.identity.instance, target.health] as const] : [])),
  );
  const measured = groups.map(({ labels, cells }) => ({
    instance: labels.instance ?? '',
    region: labels.region ?? '',
    zone: labels.zone ?? '',
    health: health.get(labels.instance ?? '') ?? ('unknown' as const),
    ...figures(cells[0] ?? null),
  }));
  const names = new Set(measured.map(({ instance }) => instance));
  const others = targets.flatMap(({ identity, health }) => {
    if (!identity || names.has(identity.instance)) return [];
    return [{ instance: identity.instance, region: identity.region, zone: identity.zone, health, ...figures(null) }];
  });
  return [...measured, ...others].sort((a, b) => compare(a.instance, b.instance));
}

function byRegion(groups: readonly MeasuredGroup[]): RegionFigures[] {
  const regions = Map.groupBy(groups, ({ labels }) => labels.region ?? '');
  const rows = [...regions].map(([region, members]) => ({
    region,
    ...figures(mergeCells(members.map(({ cells }) => cells[0] ?? null))),
  }));
  return rows.sort((a, b) => compare(a.region, b.region));
}

/** Services that this one called in the window. */
async function listUpstreams(
  { store, directory }: Sources,
  self: ServiceName,
  range: TimeRange,
): Promise<PeerFigures[]> {
  const match = { service: [self.service], namespace: [self.namespace] };
  const groups = await store.sums({
    from: range.from,
    to: range.to,
    direction: 'outbound',
    match,
    by: ['peer', 'peer_namespace'],
    bins: true,
  });
  return peers(
    groups.map(({ labels, cells }) => ({ name: directory.resolve(peerOf(labels)), cell: cells[0] ?? null })),
  );
}

/** Services that called this one in the window. */
async function listDownstreams(
  { store, directory }: Sources,
  self: ServiceName,
  range: TimeRange,
): Promise<PeerFigures[]> {
  const by = ['service', 'namespace', 'peer', 'peer_namespace'] as const;
  const groups = await store.sums({
    from: range.from,
    to: range.to,
    direction: 'outbound',
    match: { peer: [self.service] },
    by,
    bins: true,
  });
  const calls = groups.filter(({ labels }) => serviceKey(directory.resolve(peerOf(labels))) === serviceKey(self));
  return peers(
    calls.map(({ labels, cells }) => ({
      name: { service: labels.service ?? '', namespace: labels.namespace ?? '' },
      cell: cells[0] ?? null,
    })),
  );
}

/** Rows by name, those without a request left out. */
function peers(rows: readonly { name: ServiceName; cell: Cell | null }[]): PeerFigures[] {
  const grouped = Map.groupBy(rows, ({ name }) => serviceKey(name));
  const merged = [...grouped.values()].flatMap((members) => {
    const name = members[0]?.name;
    return name ? [{ ...name, ...figures(mergeCells(members.map(({ cell }) => cell)), 'upstream') }] : [];
  });
  return merged
    .filter(({ requests }) => (requests ?? 0) > 0)
    .map(({ service, namespace, ...rest }) => ({ service, namespace, ...rest }))
    .sort((a, b) => compare(a.service, b.service) || compare(a.namespace, b.namespace));
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
