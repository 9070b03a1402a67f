import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { ENVOY_CONTAINERS } from '../../server/config/kubernetes-fields.ts';
import { readPod } from '../../server/discovery/kubernetes-pod.ts';
import { movedGroup, NOWHERE, type Place, podGroup } from '../../server/discovery/kubernetes-target.ts';
import { ENVOY_CONTAINER, type ManifestOptions, podManifest } from './pod-manifest.ts';

const CONTAINERS = RE2JS.compile(ENVOY_CONTAINERS);

function groupOf(manifest: object, { port, node = NOWHERE }: { port?: number | undefined; node?: Place } = {}) {
  const pod = readPod(manifest);
  if (pod === undefined) throw new Error('not a pod');
  return podGroup(pod, { isEnvoy: (name) => CONTAINERS.matches(name), port }, node);
}

const addresses = (manifest: object, port?: number) =>
  groupOf(manifest, { port }).targets.map(({ address }) => address);
const labelsOf = (manifest: object, node?: Place) => groupOf(manifest, node && { node }).targets[0]?.labels ?? {};
const container = (name: string, ...ports: [name: string, number: number, protocol?: string][]) => ({
  name,
  image: 'i',
  ports: ports.map(([portName, containerPort, protocol = 'TCP']) => ({
    ...(portName && { name: portName }),
    containerPort,
    protocol,
  })),
});
const APP = container('app', ['http', 8080], ['metrics', 9090]);

/** The pod's parts, then the port of its one target and, where it matters, that of the configuration. */
const PORTS: readonly [about: string, pod: ManifestOptions, port: number, configured?: number][] = [
  ['an envoy that tells nothing', { containers: [APP, container('envoy')] }, 9901],
  ['an envoy beside a configured port', { containers: [APP, container('envoy')] }, 9999, 9999],
  ['Istio', { containers: [APP, container('istio-proxy', ['http-envoy-prom', 15_090])] }, 15_090],
  [
    'Istio, whose annotation names the merged metrics',
    {
      annotations: { 'prometheus.io/port': '15020', 'prometheus.io/path': '/stats/prometheus' },
      containers: [APP, container('istio-proxy', ['http-envoy-prom', 15_090])],
    },
    15_090,
  ],
  [
    'Istio as a native sidecar',
    {
      containers: [APP],
      initContainers: [
        container('istio-init'),
        { ...container('istio-proxy', ['http-envoy-prom', 15_090]), restartPolicy: 'Always' },
      ],
    },
    15_090,
  ],
  ['Istio that declares no port', { containers: [container('istio-proxy')] }, 15_090],
  ['Consul', { containers: [APP, container('consul-dataplane', ['proxy-health-0', 20_000])] }, 20_200],
  [
    'Consul by annotation',
    {
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/path': '/metrics', 'prometheus.io/port': '20200' },
      containers: [APP, container('consul-dataplane')],
    },
    20_200,
  ],
  ['Kuma', { containers: [APP, container('kuma-sidecar')] }, 5670],
  ['Kuma with a configured port', { containers: [APP, container('kuma-sidecar')] }, 9999, 9999],
  ['App Mesh', { containers: [APP, container('envoy', ['stats', 9901])] }, 9901],
  ['Envoy Gateway', { containers: [container('envoy', ['http-80', 10_080], ['metrics', 19_001])] }, 19_001],
  ['Contour', { containers: [container('envoy', ['http', 8080], ['https', 8443], ['metrics', 8002])] }, 8002],
  [
    'the admin port comes before a Prometheus port',
    { containers: [container('envoy', ['metrics', 1], ['admin', 2])] },
    2,
  ],
  ["a port's name comes before the configured port", { containers: [container('envoy', ['admin', 2])] }, 2, 9999],
  ['a port that is known by its number', { containers: [container('envoy', ['', 10_000], ['', 19_000])] }, 19_000],
  ['a UDP port is none', { containers: [container('envoy', ['admin', 2, 'UDP'])] }, 9901],
  ["the application's ports are none of its business", { containers: [APP, container('envoy', ['http', 8000])] }, 9901],
  [
    "the application's Prometheus annotation neither",
    { annotations: { 'prometheus.io/port': '9090', 'prometheus.io/path': '/metrics' } },
    9901,
  ],
  [
    "an annotation with Envoy's path",
    { annotations: { 'prometheus.io/port': '8001', 'prometheus.io/path': '/stats/prometheus' } },
    8001,
  ],
  [
    'an annotation that names a port of the Envoy',
    { annotations: { 'prometheus.io/port': '8765' }, containers: [container('envoy', ['x', 8765])] },
    8765,
  ],
  [
    'our annotation beats everything',
    { annotations: { 'sidelight.io/port': '7777' }, containers: [container('envoy', ['admin', 2])] },
    7777,
    9999,
  ],
  [
    'our annotation needs no known container',
    { annotations: { 'sidelight.io/port': '7777' }, containers: [APP] },
    7777,
  ],
  [
    'of two Envoys the sidecar',
    { containers: [container('envoy', ['admin', 2]), container('istio-proxy', ['http-envoy-prom', 15_090])] },
    15_090,
  ],
];

test.each(PORTS)('port: %s', (_about, pod, port, configured) => {
  expect(addresses(podManifest(pod), configured)).toEqual([`10.0.0.5:${port}`]);
});

const NO_TARGET: readonly [about: string, pod: ManifestOptions, reason?: RegExp][] = [
  ['pending, without an address', { status: { phase: 'Pending', podIP: undefined, podIPs: undefined } }],
  ['an empty address', { status: { podIP: '', podIPs: [] } }],
  ['finished', { status: { phase: 'Succeeded' } }],
  ['failed', { status: { phase: 'Failed' } }],
  ['evicted', { status: { phase: 'Failed', reason: 'Evicted' } }],
  [
    'being deleted, its Envoy has ended',
    {
      deletionTimestamp: '2026-11-21T10:00:00Z',
      status: { containerStatuses: [{ name: 'envoy', state: { terminated: { exitCode: 0 } } }] },
    },
  ],
  ['no Envoy', { containers: [APP] }, /no container is an Envoy by its name \(it has app\): set discovery/],
  ['a name that only holds envoy', { containers: [container('my-envoy-app')] }, /it has my-envoy-app/],
  ['an init container that ends', { containers: [APP], initContainers: [container('envoy')] }, /it has app\)/],
  ['a bad annotation', { annotations: { 'sidelight.io/port': 'admin' } }, /sidelight.io\/port: "admin" is not a port/],
  ['a port out of range', { annotations: { 'sidelight.io/port': '70000' } }, /port 70000 is out of range/],
];

test.each(NO_TARGET)('no target: %s', (_about, pod, reason) => {
  const group = groupOf(podManifest(pod));
  expect(group.targets).toEqual([]);
  expect(group.source).toBe('default/shop-1');
  expect(group.excluded?.map((one) => one.reason)).toEqual(reason && [expect.stringMatching(reason)]);
});

const STILL_TARGETS: readonly [about: string, pod: ManifestOptions, address: string][] = [
  ['draining', { deletionTimestamp: '2026-11-21T10:00:00Z' }, '10.0.0.5:9901'],
  ['not ready', { status: { conditions: [{ type: 'Ready', status: 'False' }] } }, '10.0.0.5:9901'],
  [
    'restarting',
    { status: { containerStatuses: [{ name: 'envoy', state: { terminated: { exitCode: 1 } } }] } },
    '10.0.0.5:9901',
  ],
  ['pending with an address', { status: { phase: 'Pending' } }, '10.0.0.5:9901'],
  ['two address families', { status: { podIPs: [{ ip: '10.0.0.5' }, { ip: 'fd00::5' }] } }, '10.0.0.5:9901'],
  ['IPv6', { status: { podIP: 'fd00::5', podIPs: [{ ip: 'fd00::5' }] } }, '[fd00::5]:9901'],
];

test.each(STILL_TARGETS)('one target: %s', (_about, pod, address) => {
  expect(addresses(podManifest(pod))).toEqual([address]);
});

const SERVICES: readonly [service: string | undefined, pod: ManifestOptions][] = [
  [
    'canonical',
    { labels: { 'service.istio.io/canonical-name': 'canonical', 'app.kubernetes.io/name': 'b', app: 'c' } },
  ],
  ['b', { labels: { 'app.kubernetes.io/name': 'b', app: 'c' }, owner: { kind: 'StatefulSet', name: 'd' } }],
  ['c', { labels: { app: 'c' } }],
  ['shop', { labels: { 'pod-template-hash': '5d4f8c7b9' }, owner: { kind: 'ReplicaSet', name: 'shop-5d4f8c7b9' } }],
  ['shop', { labels: { 'rollouts-pod-template-hash': '6b' }, owner: { kind: 'ReplicaSet', name: 'shop-6b' } }],
  ['shop-5d4f8c7b9', { owner: { kind: 'ReplicaSet', name: 'shop-5d4f8c7b9' } }],
  ['db', { owner: { kind: 'StatefulSet', name: 'db' } }],
  ['agent', { owner: { kind: 'DaemonSet', name: 'agent' } }],
  ['import', { owner: { kind: 'Job', name: 'import' } }],
  ['nightly', { owner: { kind: 'Job', name: 'nightly-29384756' } }],
  ['build-2026', { owner: { kind: 'Job', name: 'build-2026' } }],
  [undefined, { owner: { kind: 'Node', name: 'node-1' } }],
  [undefined, {}],
];

test.each(SERVICES)('service %s', (service, pod) => {
  expect(labelsOf(podManifest(pod)).service).toBe(service);
});

const ROLES: readonly [role: string | undefined, pod: ManifestOptions][] = [
  ['gateway', { labels: { istio: 'ingressgateway' } }],
  ['gateway', { labels: { 'gateway.networking.k8s.io/gateway-name': 'public' } }],
  ['gateway', { labels: { 'gateway.envoyproxy.io/owning-gateway-name': 'eg' } }],
  ['gateway', { labels: { 'app.kubernetes.io/component': 'ingress-gateway' } }],
  ['gateway', { annotations: { 'consul.hashicorp.com/gateway-kind': 'mesh-gateway' } }],
  ['gateway', { annotations: { 'kuma.io/gateway': 'enabled' } }],
  [undefined, { annotations: { 'kuma.io/gateway': 'disabled' } }],
  [undefined, { labels: { app: 'payment-gateway', 'app.kubernetes.io/component': 'payment-gateway' } }],
  [undefined, { labels: { istio: 'pilot' } }],
  [undefined, {}],
];

test.each(ROLES)('role %s: %o', (role, pod) => {
  expect(labelsOf(podManifest(pod)).role).toBe(role);
});

const NODE: Place = { region: 'node-region', zone: 'node-zone' };
const MODERN = { 'topology.kubernetes.io/region': 'r', 'topology.kubernetes.io/zone': 'z' };
const LEGACY = { 'failure-domain.beta.kubernetes.io/region': 'lr', 'failure-domain.beta.kubernetes.io/zone': 'lz' };
const PLACES: readonly [about: string, labels: Record<string, string>, node: Place, region?: string, zone?: string][] =
  [
    ['nothing tells it', {}, NOWHERE],
    ['the node', {}, NODE, 'node-region', 'node-zone'],
    ['the pod before the node', MODERN, NODE, 'r', 'z'],
    ['legacy labels', LEGACY, NODE, 'lr', 'lz'],
    ['legacy labels after those of today', { ...LEGACY, ...MODERN }, NODE, 'r', 'z'],
    ['the zone of the pod, the region of its node', { 'topology.kubernetes.io/zone': 'z' }, NODE, 'node-region', 'z'],
  ];

describe.each(PLACES)('place: %s', (_about, labels, node, region, zone) => {
  test('at once', () => {
    const { __region__, __zone__ } = labelsOf(podManifest({ labels }), node);
    expect([__region__, __zone__]).toEqual([region, zone]);
  });
  test('when the node tells it later, or other than before', () => {
    const before = groupOf(podManifest({ labels }), { node: { region: 'other', zone: '' } });
    expect(movedGroup(before, node)).toEqual(groupOf(podManifest({ labels }), { node }));
  });
});

test("labels are Prometheus's, and plain ones of the identity", () => {
  const manifest = podManifest({
    name: 'shop-5d-x1',
    namespace: 'prod',
    labels: { 'app.kubernetes.io/name': 'shop', 'pod-template-hash': '5d' },
    annotations: { 'example.com/owner': 'team a', long: 'x'.repeat(1025) },
    owner: { kind: 'ReplicaSet', name: 'shop-5d' },
    nodeName: 'node-1',
    containers: [APP, { ...container('envoy', ['admin', 9901]), image: 'envoy:v1.40' }],
    status: {
      hostIP: '10.1.0.1',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'envoy', containerID: 'containerd://e' }],
    },
  });
  expect(groupOf({ ...manifest, metadata: { ...manifest.metadata, uid: 'u-1' } }).targets).toEqual([
    {
      address: '10.0.0.5:9901',
      labels: {
        service: 'shop',
        instance: 'shop-5d-x1',
        namespace: 'prod',
        __meta_kubernetes_namespace: 'prod',
        __meta_kubernetes_pod_name: 'shop-5d-x1',
        __meta_kubernetes_pod_ip: '10.0.0.5',
        __meta_kubernetes_pod_ready: 'true',
        __meta_kubernetes_pod_phase: 'Running',
        __meta_kubernetes_pod_node_name: 'node-1',
        __meta_kubernetes_pod_host_ip: '10.1.0.1',
        __meta_kubernetes_pod_uid: 'u-1',
        __meta_kubernetes_pod_controller_kind: 'ReplicaSet',
        __meta_kubernetes_pod_controller_name: 'shop-5d',
        __meta_kubernetes_pod_container_name: 'envoy',
        __meta_kubernetes_pod_container_image: 'envoy:v1.40',
        __meta_kubernetes_pod_container_id: 'containerd://e',
        __meta_kubernetes_pod_container_init: 'false',
        __meta_kubernetes_pod_container_port_name: 'admin',
        __meta_kubernetes_pod_container_port_number: '9901',
        __meta_kubernetes_pod_container_port_protocol: 'TCP',
        __meta_kubernetes_pod_label_app_kubernetes_io_name: 'shop',
        __meta_kubernetes_pod_labelpresent_app_kubernetes_io_name: 'true',
        __meta_kubernetes_pod_label_pod_template_hash: '5d',
        __meta_kubernetes_pod_labelpresent_pod_template_hash: 'true',
        __meta_kubernetes_pod_annotation_example_com_owner: 'team a',
        __meta_kubernetes_pod_annotationpresent_example_com_owner: 'true',
      },
    },
  ]);
});

const MALFORMED: readonly unknown[] = [
  undefined,
  null,
  5,
  'pod',
  [],
  {},
  { metadata: null },
  { metadata: { name: 5, namespace: 'a' } },
  { metadata: { name: 'a' } },
];

test.each(MALFORMED)('no pod: %j', (manifest) => {
  expect(readPod(manifest)).toBeUndefined();
});

const HALF_MALFORMED: readonly [about: string, part: object][] = [
  ['labels that are a list', { metadata: { name: 'a', namespace: 'b', labels: ['x'], annotations: 'y' } }],
  ['labels of other types', { metadata: { name: 'a', namespace: 'b', labels: { app: 5, x: null, constructor: {} } } }],
  ['containers that are none', { spec: { containers: [null, 5, ENVOY_CONTAINER, { name: 7 }], initContainers: {} } }],
  ['statuses that are none', { status: { podIP: '10.0.0.5', containerStatuses: [null], conditions: 'x' } }],
  ['owners that are none', { metadata: { name: 'a', namespace: 'b', ownerReferences: [null, { controller: 'yes' }] } }],
  ['ports that are none', { spec: { containers: [{ name: 'envoy', ports: [null, { name: 5 }, 7] }] } }],
];

test.each(HALF_MALFORMED)('%s are left out', (_about, part) => {
  expect(addresses({ ...podManifest(), ...part })).toEqual(['10.0.0.5:9901']);
});
