/** Figures and series of the fake API, worked out from a service's description and the time alone. */

import type {
  Figures,
  InstanceFigures,
  PeerFigures,
  Point,
  QueryAnswer,
  RegionFigures,
  ServiceAnswer,
  ServiceSummary,
} from '../../../server/api/contract.ts';
import type { FakeService } from './fake-services.ts';

export interface FakeRange {
  readonly from: number;
  readonly to: number;
  readonly window: string;
  /** How much earlier the figures are from. */
  readonly offsetMs: number;
}

/** A number between 0 and 1 that depends on its arguments alone. */
function noise(name: string, at: number): number {
  let hash = 2166136261 ^ at;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822519);
  return ((hash ^ (hash >>> 13)) >>> 0) / 4294967296;
}

/** Traffic breathes slowly and jitters a little. */
export function breath(name: string, at: number, size = 0.25): number {
  const phase = noise(name, 0) * 6.28;
  return 1 + size * Math.sin(at / 110_000 + phase) + 0.12 * (noise(name, Math.floor(at / 1000)) - 0.5);
}

const DEVIATES = { p50: 0, p90: 1.2816, p95: 1.6449, p99: 2.3263, p999: 3.0902 } as const;
const TIMEOUT_MS = 10_000;

function latencyMs({ medianMs, spread, timingOut }: FakeService, factor: number): Figures['latencyMs'] {
  const at = (percentile: keyof typeof DEVIATES) => {
    const quantile = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 }[percentile];
    return quantile > 1 - timingOut ? TIMEOUT_MS : medianMs * factor * Math.exp(spread * DEVIATES[percentile]);
  };
  return {
    p50: at('p50'),
    p90: at('p90'),
    p95: at('p95'),
    p99: at('p99'),
    p999: at('p999'),
    mean: medianMs * factor * Math.exp(spread ** 2 / 2),
  };
}

const UNKNOWN: Figures['latencyMs'] = { p50: null, p90: null, p95: null, p99: null, p999: null, mean: null };

/** The figures of a share of a service's requests, `factor` times slower than usual. */
export function fakeFigures(service: FakeService, range: FakeRange, { part = 1, factor = 1 } = {}): Figures {
  const known = service.state === 'ok' || service.state === 'too_little_data';
  const measured = service.state !== 'no_data';
  const seconds = (range.to - range.from) / 1000;
  const before = range.offsetMs > 0 ? 0.75 + 0.4 * noise(service.service, range.offsetMs) : 1;
  const wobble = before * (service.state === 'ok' ? breath(service.service, range.to, 0.04) : 1);
  const requests = Math.round(service.rate * part * seconds * wobble);
  const timeouts = Math.round(requests * service.timingOut);
  const classes = {
    '2xx': requests * (1 - service.refused - service.failing),
    '3xx': 0,
    '4xx': requests * service.refused,
    '5xx': requests * service.failing,
  };
  return {
    requests: measured ? requests : null,
    requestRate: measured ? requests / seconds : null,
    successRate: known ? 1 - service.failing : null,
    errorRate: known ? service.failing : null,
    codeClasses: measured ? classes : null,
    latencyMs: known ? latencyMs(service, (factor / before) * breath(service.service, range.to, 0.05)) : UNKNOWN,
    latencySamples: requests - timeouts,
    precision: {
      method: 'bins',
      source: service.vantage === 'server' ? 'downstream' : 'upstream',
      maxRelativeError: known ? 0.021 : null,
      capped: timeouts > 0,
    },
    timeouts,
    retries: Math.round(requests * service.failing * 0.5),
    activeRequests: measured ? Math.round((service.rate * part * service.medianMs) / 1000) : null,
    state: service.state,
  };
}

export function fakeSummary(service: FakeService, range: FakeRange): ServiceSummary {
  const { vantage, role, regions, instances } = service;
  return {
    service: service.service,
    namespace: service.namespace,
    vantage,
    role,
    regions: [...regions],
    instances: { ...instances },
    ...fakeFigures(service, range),
    failureSource: 'grpc_stats',
    alerts: { firing: 0, pending: 0 },
  };
}

export function fakeService(service: FakeService, mesh: readonly FakeService[], range: FakeRange): ServiceAnswer {
  const calls = mesh.filter(
    ({ service: name, namespace }) => service.calls.includes(name) && namespace !== 'warehouse',
  );
  const callers = mesh.filter(({ calls }) => calls.includes(service.service));
  return {
    at: range.to,
    windowMs: range.to - range.from,
    window: range.window,
    offsetMs: range.offsetMs,
    tiers: ['raw'],
    ...fakeSummary(service, range),
    byInstance: fakeInstances(service, range),
    byRegion: fakeRegions(service, range),
    upstreams: calls.map((peer) => fakePeer(peer, range)),
    downstreams: callers.map((peer) => fakePeer(peer, range)),
    failures: fakeFailures(service, range),
  };
}

function fakePeer(peer: FakeService, range: FakeRange): PeerFigures {
  return {
    service: peer.service,
    namespace: peer.namespace,
    ...fakeFigures({ ...peer, vantage: 'client' }, range, { part: 0.4, factor: 1.1 }),
    failures: fakeFailures(peer, range),
  };
}

/** As a pod is called. */
export function instanceName({ service }: FakeService, index: number): string {
  return `${service}-7d9f6c5b4-${index.toString(36).padStart(2, 'x')}k2p`;
}

function fakeInstances(service: FakeService, range: FakeRange): InstanceFigures[] {
  const { up, total } = service.instances;
  return Array.from({ length: total }, (_, index) => {
    const down = index >= up;
    const slow = service.slowInstance && index === up - 1;
    const seen: FakeService = down ? { ...service, state: 'no_data' } : service;
    return {
      instance: instanceName(service, index),
      region: service.regions[index % Math.max(1, service.regions.length)] ?? '',
      zone: ['a', 'b', 'c'][index % 3] ?? '',
      health: down ? 'down' : 'up',
      ...fakeFigures(seen, range, {
        part: uneven(service.service, index) / Math.max(1, up),
        factor: (slow ? 3.1 : 1) * uneven(service.service, index),
      }),
    };
  });
}

function uneven(name: string, index: number): number {
  return 0.94 + 0.12 * noise(name, index);
}

function fakeRegions(service: FakeService, range: FakeRange): RegionFigures[] {
  return service.regions.map((region, index) => ({
    region,
    ...fakeFigures(service, range, { part: 1 / service.regions.length, factor: 1 + index * 0.4 }),
  }));
}

function fakeFailures(service: FakeService, range: FakeRange): Record<string, number> {
  const { codeClasses, timeouts } = fakeFigures(service, range);
  const failed = Math.max(0, Math.round(codeClasses?.['5xx'] ?? 0) - timeouts);
  if (failed === 0) return {};
  return {
    timeout: timeouts,
    connect: Math.round(failed * 0.2),
    reset: Math.round(failed * 0.3),
    overflow: Math.round(failed * 0.1),
    cosmic_rays: 3,
  };
}

export interface FakeQuery {
  readonly signal: string;
  readonly byClass: boolean;
  readonly byService: boolean;
  readonly stepMs: number;
}

/** Series over steps as the API gives them; the newest step has no data yet. */
export function fakeSeries(services: readonly FakeService[], range: FakeRange, query: FakeQuery): QueryAnswer {
  const from = Math.floor(range.from / query.stepMs) * query.stepMs;
  const to = Math.ceil(range.to / query.stepMs) * query.stepMs;
  const times: number[] = [];
  for (let time = from; time < to; time += query.stepMs) times.push(time);
  const points = (service: FakeService, value: (time: number) => number | null): Point[] =>
    times.map((time) => [time, isMissing(service, time, range) ? null : value(time - range.offsetMs)]);
  const series = services.flatMap((service) => {
    const labels = query.byService ? withoutEmpty({ service: service.service, namespace: service.namespace }) : {};
    if (!query.byClass) return [{ labels, points: points(service, (time) => signalAt(service, query.signal, time)) }];
    return (['2xx', '3xx', '4xx', '5xx'] as const).map((code) => ({
      labels: { ...labels, code_class: code },
      points: points(service, (time) => classAt(service, code, time)),
    }));
  });
  return {
    signal: query.signal,
    step: query.stepMs,
    from,
    to,
    measuredTo: to - query.stepMs,
    offsetMs: range.offsetMs,
    tiers: ['raw'],
    series,
    other: [],
  };
}

function withoutEmpty(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}

export function isMissing({ state, gap }: FakeService, time: number, { from, to }: FakeRange): boolean {
  const place = (time - from) / (to - from);
  return state === 'no_data' || place >= 0.995 || (gap !== null && place >= gap[0] && place < gap[1]);
}

function signalAt(service: FakeService, signal: string, time: number): number | null {
  if (signal === 'success_rate')
    return service.rate === 0 ? null : 1 - service.failing * (0.5 + noise(service.service, time));
  if (signal === 'active_requests')
    return Math.round((service.rate * service.medianMs * breath(service.service, time)) / 1000);
  if (signal === 'active_connections') return service.instances.total * 4;
  const percentile = /^latency_(p\d+)$/.exec(signal)?.[1];
  if (percentile === undefined) return service.rate * breath(service.service, time);
  if (service.rate === 0 || (service.rate < 1 && noise(service.service, time) < 0.6)) return null;
  const latencies = latencyMs(service, breath(`${service.service}${percentile}`, time, 0.15));
  return latencies[percentile as keyof typeof latencies] ?? null;
}

function classAt(service: FakeService, code: '2xx' | '3xx' | '4xx' | '5xx', time: number): number {
  const rate = service.rate * breath(service.service, time);
  const burst = 0.5 + noise(`${service.service}${code}`, time);
  if (code === '2xx') return rate * (1 - service.refused - service.failing);
  if (code === '4xx') return rate * service.refused * burst;
  return code === '5xx' ? rate * service.failing * burst : 0;
}
