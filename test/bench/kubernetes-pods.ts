/**
 * A pod as Istio's injection leaves it, some 9 kB of JSON: two containers with environment, probes and volumes, managed
 * fields, conditions. `change` makes each version another one, in a way that its target shows.
 */
export function istioPod(number: number, change: number) {
  const name = `shop-${number % 500}-5d4f8c7b9-${number.toString(36).padStart(5, '0')}`;
  const ip = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
  const container = (containerName: string, ports: object[]) => ({
    name: containerName,
    image: `registry.example.com/${containerName}:1.27.0`,
    ports,
    env: Array.from({ length: 16 }, (_, index) => ({
      name: `VARIABLE_${index}`,
      value: `value of ${index} for ${name}`,
    })),
    resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '100m', memory: '128Mi' } },
    readinessProbe: { httpGet: { path: '/healthz/ready', port: 15_021, scheme: 'HTTP' }, periodSeconds: 15 },
    volumeMounts: Array.from({ length: 6 }, (_, index) => ({
      name: `volume-${index}`,
      mountPath: `/var/run/path/${index}`,
    })),
    terminationMessagePath: '/dev/termination-log',
    imagePullPolicy: 'IfNotPresent',
  });
  const time = '2026-11-21T10:00:00Z';
  const status = (containerName: string) => ({
    name: containerName,
    state: { running: { startedAt: time } },
    ready: true,
    restartCount: 0,
    image: `registry.example.com/${containerName}:1.27.0`,
    imageID: `registry.example.com/${containerName}@sha256:${'0123456789abcdef'.repeat(4)}`,
    containerID: `containerd://${'0123456789abcdef'.repeat(4)}`,
  });
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name,
      namespace: `team-${number % 40}`,
      uid: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
      creationTimestamp: time,
      labels: {
        app: `shop-${number % 500}`,
        'pod-template-hash': '5d4f8c7b9',
        version: `v${change}`,
        'security.istio.io/tlsMode': 'istio',
        'service.istio.io/canonical-name': `shop-${number % 500}`,
        'service.istio.io/canonical-revision': 'latest',
      },
      annotations: {
        'istio.io/rev': 'default',
        'kubectl.kubernetes.io/default-container': 'app',
        'prometheus.io/path': '/stats/prometheus',
        'prometheus.io/port': '15020',
        'prometheus.io/scrape': 'true',
        'sidecar.istio.io/status': JSON.stringify({
          volumes: Array.from({ length: 40 }, (_, index) => `volume-${index}`),
        }),
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `shop-${number % 500}-5d4f8c7b9`,
          uid: 'u',
          controller: true,
        },
      ],
      managedFields: Array.from({ length: 3 }, (_, index) => ({
        manager: `manager-${index}`,
        operation: 'Update',
        time,
        fieldsType: 'FieldsV1',
        fieldsV1: Object.fromEntries(
          Array.from({ length: 20 }, (_unused, field) => [`f:field-${field}`, { 'f:value': {} }]),
        ),
      })),
    },
    spec: {
      containers: [
        container('app', [{ name: 'http', containerPort: 8080, protocol: 'TCP' }]),
        container('istio-proxy', [{ name: 'http-envoy-prom', containerPort: 15_090, protocol: 'TCP' }]),
      ],
      nodeName: `node-${number % 200}`,
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }],
      volumes: Array.from({ length: 6 }, (_, index) => ({ name: `volume-${index}`, emptyDir: {} })),
    },
    status: {
      phase: 'Running',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
        (type) => ({
          type,
          status: 'True',
          lastProbeTime: null,
          lastTransitionTime: time,
        }),
      ),
      hostIP: '10.200.0.1',
      podIP: ip,
      podIPs: [{ ip }],
      startTime: time,
      containerStatuses: [status('app'), status('istio-proxy')],
      qosClass: 'Burstable',
    },
  };
}
