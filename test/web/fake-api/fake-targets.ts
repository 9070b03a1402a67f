import type { TargetStatus, TargetsAnswer } from '../../../server/api/contract.ts';
import { instanceName } from './fake-figures.ts';
import type { FakeService } from './fake-services.ts';

const ERRORS = [
  'connection refused: no Envoy listens there. Check that the admin port is 9901 and that the address is not bound to loopback only',
  'no answer within 10 s: the admin endpoint is slow or a firewall drops the connection. Raise scrape.timeout or look at the network',
];

/** One target for every instance of the mesh. */
export function fakeTargets(mesh: readonly FakeService[], now: number): TargetsAnswer {
  const targets = mesh.flatMap((service, place) =>
    shownInstances(service.instances.total).map((index) => fakeTarget(service, place, index, now)),
  );
  const dropped = [
    {
      discoveredLabels: { __address__: '10.0.9.9:9901', __meta_job: 'nightly' },
      reason: 'a relabelling rule drops it (drop, source job)',
    },
  ];
  const counts = { up: 0, down: 0, unknown: 0 };
  for (const { health } of targets) counts[health]++;
  return {
    targets,
    total: targets.length,
    counts,
    dropped: mesh.length === 0 ? [] : dropped,
    droppedTotal: mesh.length === 0 ? 0 : dropped.length,
    discovery: [],
  };
}

/** The first two, and the last, which is the one that is down where any is. */
function shownInstances(total: number): number[] {
  return [...new Set([0, 1, total - 1])].filter((index) => index >= 0 && index < total);
}

function fakeTarget(service: FakeService, place: number, index: number, now: number): TargetStatus {
  const address = `10.0.${place}.${10 + index}:9901`;
  const down = index >= service.instances.up;
  const labels = {
    service: service.service,
    namespace: service.namespace,
    instance: instanceName(service, index),
    region: service.regions[0] ?? '',
    role: service.role,
    address,
  };
  return {
    labels: Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== '')),
    discoveredLabels: { __address__: address },
    health: down ? 'down' : place === 14 ? 'unknown' : 'up',
    lastError: down ? (ERRORS[place % ERRORS.length] ?? '') : '',
    lastScrape: place === 14 ? null : now - 1000 * (1 + ((place + index) % 14)),
    scrapeDurationMs: place === 14 ? null : 3.1 + place * 0.7 + index,
    bodyBytes: down || place === 14 ? null : 31_000 + 900 * place,
    samples: down || place === 14 ? null : 360 + place,
    envoyVersion: place === 14 ? '' : place % 5 === 0 ? '1.38.3' : '1.40.0',
    startedAt: place === 14 ? null : now - (place % 3 === 0 && index === 1 ? 95_000 : 3_600_000 * (5 + 17 * place)),
    restarts: place % 3 === 0 && index === 1 ? [now - 200_000, now - 95_000] : [],
    certificateExpiry: place % 2 === 0 ? null : now + 86_400_000 * (place === 5 ? 3 : 40),
    note: '',
    precision: place === 14 ? 'unknown' : place === 3 ? 'buckets' : 'bins',
    failureSource: place === 14 ? 'unknown' : 'grpc_stats',
    clusters: null,
    intervalMs: place === 14 ? null : place === 6 ? 42_000 : 15_000,
    slowedDown: place === 6 ? 'it took 8.4 s to answer, more than a fifth of the interval' : '',
    busyShare: place === 14 ? null : (3.1 + place * 0.7 + index) / 15_000,
  };
}
