import { expect, test } from 'vitest';
import { Accepted } from '../../../server/exporter/otlp/accepted.ts';
import { meshResources, type ResourceOptions } from '../../../server/exporter/otlp/mesh-resources.ts';
import { Live, type LiveTarget } from '../../../server/live/live.ts';
import { binBounds, binOf } from '../../../server/model/histogram.ts';
import { discovered, liveWith } from '../../live/live-targets.ts';
import { failedScrape, goodScrape } from '../../store/records.ts';
import { type DecodedResource, decoded } from './decoded.ts';

const AT = 1_700_000_000_000;
const NOW = AT + 5000;
const A = '10.0.0.1:9901';
const B = '10.0.0.2:9901';

function told(targets: readonly LiveTarget[], options: Partial<ResourceOptions> = {}): DecodedResource[] {
  const { temporality = 'cumulative' } = options;
  const all: ResourceOptions = {
    targets,
    temporality,
    accepted: new Accepted(temporality),
    histograms: 'exponential',
    buckets: [0.01, 0.1, 1],
    now: NOW,
    version: '1.2.3',
    ...options,
  };
  return decoded(Buffer.concat([...meshResources(all)].flatMap((resource) => (resource ? [resource.bytes] : []))));
}

const metricOf = (resource: DecodedResource | undefined, name: string) =>
  resource?.metrics.find((metric) => metric.name === name);

const shop = (target: string, instance: string) =>
  goodScrape({
    target,
    from: AT - 1000,
    to: AT,
    identity: { namespace: 'prod', instance, region: 'eu', zone: 'eu-1' },
    flows: [
      { counters: { '2xx': 90, '5xx': 6, grpc_failed: 2, timeout: 2 }, latency: { 0: 50, 20: 46 } },
      { direction: 'outbound', peer: 'cart', counters: { '2xx': 40 }, gauges: { endpoints_total: 4 } },
    ],
    findings: { startedAt: AT - 60_000 },
  });

test('one resource per instance, by the conventions; points know direction and peer', () => {
  const resources = told(liveWith([shop(A, 'shop-1'), shop(B, 'shop-2')]).all());
  expect(resources.map(({ attributes }) => attributes)).toEqual(
    ['shop-1', 'shop-2'].map((instance) => ({
      'service.name': 'shop',
      'service.namespace': 'prod',
      'service.instance.id': instance,
      'cloud.region': 'eu',
      'cloud.availability_zone': 'eu-1',
    })),
  );
  const requests = metricOf(resources[0], 'mesh.requests');
  expect(requests).toMatchObject({ unit: '{request}', kind: 'sum', temporality: 'cumulative', monotonic: true });
  expect(requests?.points).toContainEqual({
    labels: { direction: 'inbound', code_class: '5xx' },
    value: 6,
    since: AT - 1000,
    at: NOW,
    total: 0,
    zeroes: 0,
  });
  expect(metricOf(resources[0], 'mesh.failed_requests')?.points[0]?.value).toBe(8);
  expect(metricOf(resources[0], 'mesh.endpoints')).toMatchObject({
    kind: 'gauge',
    points: [{ labels: { direction: 'outbound', peer: 'cart', state: 'total' }, value: 4, since: undefined }, {}, {}],
  });
  expect(metricOf(resources[0], 'mesh.sidecar.uptime')).toMatchObject({
    unit: 's',
    points: [{ labels: {}, value: 65 }],
  });
  expect(metricOf(resources[0], 'mesh.sidecar.info')?.points[0]?.labels).toEqual({
    version: '1.40.0',
    role: 'sidecar',
  });
});

test('exponential histograms hold every sample where its bin lies', () => {
  const [resource] = told(liveWith([shop(A, 'shop-1')]).all());
  const latency = metricOf(resource, 'mesh.request.duration');
  expect(latency).toMatchObject({ unit: 's', kind: 'exponential', temporality: 'cumulative' });
  const point = latency?.points.find(({ labels }) => labels.direction === 'inbound');
  expect(point).toMatchObject({ total: 96, zeroes: 50, scale: 4, zeroThreshold: 2 ** -10 });
  const [lower, upper] = binBounds(binOf(20)).map((ms) => ms / 1000) as [number, number];
  const counts = (point?.positive?.counts ?? []).map(Number);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(46);
  const offset = point?.positive?.offset ?? 0;
  expect(2 ** ((offset + 1) / 16)).toBeGreaterThan(lower);
  expect(2 ** ((offset + counts.length - 1) / 16)).toBeLessThan(upper);
});

test('explicit buckets are those of the exporter', () => {
  const [resource] = told(liveWith([shop(A, 'shop-1')]).all(), { histograms: 'explicit' });
  const latency = metricOf(resource, 'mesh.request.duration');
  expect(latency?.kind).toBe('histogram');
  const point = latency?.points.find(({ labels }) => labels.direction === 'inbound');
  expect([point?.total, point?.bounds, point?.counts?.map(Number)]).toEqual([96, [0.01, 0.1, 1], [50, 46, 0, 0]]);
});

test('scrapes amid a push are told by the next one, and once', () => {
  const [accepted, live] = [new Accepted('delta'), new Live()];
  live.setTargets([discovered(A), discovered(B)]);
  const scrape = (round: number) => {
    const scraped = (target: string) => {
      const totals = { counters: { '2xx': 100 * round }, latency: { 20: 100 * round } };
      const spec = { target, identity: { instance: target }, from: AT + (round - 1) * 1000, to: AT + round * 1000 };
      return goodScrape({ ...spec, flows: [totals], findings: { countedSince: AT } });
    };
    live.apply([scraped(A), scraped(B)]);
  };
  const settings = { temporality: 'delta', histograms: 'exponential', buckets: [], version: '' } as const;
  const pieces: Uint8Array[] = [];
  for (const round of [1, 3, 5]) {
    scrape(round);
    for (const resource of meshResources({ ...settings, accepted, targets: live.all(), now: AT + round * 1000 })) {
      if (!resource) continue;
      pieces.push(resource.bytes);
      resource.accept();
      if (round < 5) scrape(round + 1);
    }
  }
  const all = decoded(Buffer.concat(pieces));
  for (const instance of [A, B]) {
    const own = all.filter(({ attributes }) => attributes['service.instance.id'] === instance);
    const told = own.map((resource) => metricOf(resource, 'mesh.request.duration')?.points[0]?.total);
    expect(told).toEqual([100, 200, 200]);
  }
});

test('what Kubernetes discovery knows of a pod', () => {
  const live = liveWith([shop(A, 'shop-1')]);
  const [target] = live.all();
  if (!target) throw new Error('there is no target');
  const kubernetes = {
    namespace: 'prod',
    pod_name: 'shop-7d4b9-x2x',
    pod_uid: 'u-1',
    pod_node_name: 'node-3',
    pod_controller_kind: 'ReplicaSet',
    pod_controller_name: 'shop-7d4b9',
    pod_label_pod_template_hash: '7d4b9',
    pod_label_app_kubernetes_io_version: '2.1',
  };
  const discoveredLabels = Object.fromEntries(
    Object.entries(kubernetes).map(([name, value]) => [`__meta_kubernetes_${name}`, value]),
  );
  target.target = { ...target.target, discoveredLabels };
  expect(told([target])[0]?.attributes).toMatchObject({
    'k8s.namespace.name': 'prod',
    'k8s.pod.name': 'shop-7d4b9-x2x',
    'k8s.pod.uid': 'u-1',
    'k8s.node.name': 'node-3',
    'k8s.replicaset.name': 'shop-7d4b9',
    'k8s.deployment.name': 'shop',
    'service.version': '2.1',
  });
});

test('a target that never answered is an unknown service, and down', () => {
  const [resource] = told(liveWith([failedScrape(A, AT, 'nothing listens there')]).all());
  expect(resource?.attributes).toEqual({ 'service.name': 'unknown_service:envoy', 'service.instance.id': A });
  expect(metricOf(resource, 'mesh.sidecar.up')?.points).toMatchObject([{ value: 0 }]);
  expect(metricOf(resource, 'mesh.requests')).toBeUndefined();
});

test('hostile names come through as text', () => {
  const service = `a "b" \\ c\n\u0000 ${'x'.repeat(10_000)} \ud800`;
  const record = goodScrape({
    target: A,
    from: AT - 1000,
    to: AT,
    identity: { service },
    flows: [{ counters: { '2xx': 1 } }],
  });
  const [resource] = told(liveWith([record]).all());
  const name = resource?.attributes['service.name'] ?? '';
  expect(name.startsWith('a "b" \\ c\n\u0000 xxx')).toBe(true);
  expect([name.length, name.isWellFormed()]).toEqual([512, true]);
});

test('requests are encoded one resource at a time', () => {
  const records = Array.from({ length: 120 }, (_, i) => ({ ...shop(`10.0.1.${i}:9901`, `shop-${i}`) }));
  const pieces = [
    ...meshResources({
      targets: liveWith(records).all(),
      temporality: 'cumulative',
      accepted: new Accepted('cumulative'),
      histograms: 'exponential',
      buckets: [1],
      now: NOW,
      version: '1',
    }),
  ];
  expect(pieces.filter((piece) => piece !== undefined)).toHaveLength(120);
  expect(pieces.length).toBeGreaterThan(125);
});
