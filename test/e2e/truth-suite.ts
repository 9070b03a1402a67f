import { describe, expect, test } from 'vitest';
import { codeClasses, type Hop, sumOfHops } from '../../examples/meshes/hop.ts';
import type { ServiceAnswer, ServicesAnswer, TargetsAnswer, TopologyAnswer } from '../../server/api/contract.ts';
import { latencySamples } from './exposition.ts';
import { expectLatencyWithin } from './latency.ts';
import type { MeshRun } from './mesh-run.ts';
import {
  callsByInstance,
  edgeKey,
  edgesOf,
  hasLatency,
  type InstanceTruth,
  inboundOf,
  requestsOf,
  servicesOf,
  type Truth,
} from './truth.ts';

type Counts = Record<string, number>;

const countsOf = ({ requests, byClass, grpcFailures }: Hop): Counts => ({ requests, ...byClass, grpcFailures });

function addCounts(sums: Map<string, Counts>, key: string, counts: Counts): void {
  const sum = sums.get(key) ?? {};
  for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
  sums.set(key, sum);
}

const countsByKey = (hops: Iterable<[string, Hop]>): Map<string, Counts> =>
  new Map([...hops].map(([key, hop]) => [key, countsOf(hop)]));

/** What the API shows of one group: a failure is a 5xx or a gRPC status other than 0. */
interface Shown {
  requests: number | null;
  codeClasses: Record<string, number> | null;
  errorRate: number | null;
}

function shownCounts({ requests, codeClasses: classes, errorRate }: Shown): Counts {
  const failed = Math.round((errorRate ?? 0) * (requests ?? 0));
  return { requests: requests ?? 0, ...classes, grpcFailures: failed - (classes?.['5xx'] ?? 0) };
}

/** Compares everything that the product shows of a mesh with what was sent, for equality. */
export function describeTruth(run: () => MeshRun, truth: () => Truth): void {
  describe('the API', () => {
    test('/services shows every service and who it is', async () => {
      const { services } = await run().whole<ServicesAnswer>('services');
      const expected = servicesOf(truth());
      const shown = services.map(({ service, role, regions, instances }) => ({ service, role, regions, instances }));
      expect(shown).toEqual(
        [...expected].map(([service, { role, regions, instances }]) => {
          return { service, role, regions, instances: { up: instances, total: instances } };
        }),
      );
    });

    test('services that see what comes in show exactly what was sent', async () => {
      const { services } = await run().whole<ServicesAnswer>('services');
      for (const [service, { inbound }] of servicesOf(truth())) {
        if (inbound === undefined) continue;
        const shown = services.find((one) => one.service === service);
        if (shown === undefined) throw new Error(`${service} is not shown`);
        expect([service, shown.vantage, shownCounts(shown)]).toEqual([service, 'server', countsOf(inbound)]);
        expect([shown.timeouts, shown.retries]).toEqual([inbound.timeouts, inbound.retries]);
        if (inbound.requests > 0) expectLatencyWithin(shown, inbound);
        else expect([shown.requests, shown.errorRate, shown.state]).toEqual([0, null, 'no_traffic']);
      }
    });

    test('every instance and region has its own figures', async () => {
      for (const [service, { inbound: received, regions }] of servicesOf(truth())) {
        if (received === undefined) continue;
        const { byInstance, byRegion } = await run().whole<ServiceAnswer>(`services/${service}`);
        const members = Object.entries(truth().instances).filter(([, instance]) => instance.service === service);
        expect(byInstance.map((row) => [row.instance, row.region, shownCounts(row)])).toEqual(
          members.map(([id, { region, inbound }]) => [id, region, inbound && countsOf(inbound)]),
        );
        for (const row of byInstance) {
          const hop = truth().instances[row.instance]?.inbound;
          if (hop !== undefined && hop.requests > 0) expectLatencyWithin(row, hop);
        }
        expect(byRegion.map((row) => [row.region, shownCounts(row)])).toEqual(
          regions.map((region) => [region, countsOf(sumOfHops(receivedIn(region, members)))]),
        );
      }
    });

    test('edges show what the callers counted', async () => {
      const { edges } = await run().whole<TopologyAnswer>('topology');
      const shown = new Map<string, Counts>();
      for (const edge of edges) addCounts(shown, edgeKey(edge.source, edge.target), shownCounts(edge));
      expect(shown).toEqual(countsByKey(edgesOf(truth())));
      for (const edge of edges) {
        const hop = edgesOf(truth()).get(edgeKey(edge.source, edge.target));
        if (hop !== undefined && hasLatency(truth(), edge.source, edge.target)) expectLatencyWithin(edge, hop);
      }
    });

    test('targets are up and known by what their Envoys say', async () => {
      const { targets } = await run().api<TargetsAnswer>('targets');
      const shown = targets.map(({ labels, health, lastError }) => [
        labels.instance,
        labels.service,
        health,
        lastError,
      ]);
      expect(shown.sort()).toEqual(
        Object.entries(truth().instances)
          .map(([instance, { service }]) => [instance, service, 'up', ''])
          .sort(),
      );
    });
  });

  test('the SQLite file holds the same counts for sidelight db export', async () => {
    const found = { inbound: new Map<string, Counts>(), outbound: new Map<string, Counts>() };
    for (const row of await run().exported()) {
      const classes = codeClasses.map((name) => [name, Number(row[`requests_${name}`])] as const);
      const requests = classes.reduce((sum, [, count]) => sum + count, 0);
      if (requests === 0 || row.direction === 'zone') continue;
      const counts = { requests, ...Object.fromEntries(classes), grpcFailures: Number(row.grpc_failed) };
      const key = edgeKey(String(row.instance), String(row.peer));
      addCounts(row.direction === 'inbound' ? found.inbound : found.outbound, key, counts);
    }
    expect(found.inbound).toEqual(countsByKey(inboundOf(truth())));
    expect(found.outbound).toEqual(countsByKey(callsByInstance(truth())));
  });

  test('/metrics counts the same', async () => {
    const samples = await run().metrics();
    const found = { inbound: new Map<string, Counts>(), outbound: new Map<string, Counts>() };
    for (const { name, labels, value } of samples) {
      if (value === 0) continue;
      if (name !== 'mesh_requests_total') continue;
      const { instance = '', direction, code_class: codeClass = '' } = labels;
      const key = edgeKey(instance, labels.peer ?? '');
      addCounts(direction === 'inbound' ? found.inbound : found.outbound, key, { requests: value, [codeClass]: value });
    }
    expect(found.inbound).toEqual(byClassOnly(countsByKey(inboundOf(truth()))));
    expect(found.outbound).toEqual(byClassOnly(countsByKey(callsByInstance(truth()))));
    expect(latencySamples(samples)).toBe(requestsOf(truth()));
  });
}

function receivedIn(region: string, members: readonly [id: string, instance: InstanceTruth][]): Hop[] {
  return members.flatMap(([, { region: own, inbound }]) => (own === region && inbound ? [inbound] : []));
}

/** Without gRPC failures, and without zeros. */
function byClassOnly(counts: Map<string, Counts>): Map<string, Counts> {
  const kept = ({ grpcFailures: _, ...one }: Counts) =>
    Object.fromEntries(Object.entries(one).filter(([, count]) => count > 0));
  return new Map([...counts].map(([key, one]) => [key, kept(one)]));
}
