/** Which container of a pod is its Envoy, and which of its ports tells its stats. */

import { parsePort } from '../model/target.ts';
import type { Container, ContainerPort, Pod } from './kubernetes-pod.ts';

/** How an entry of the configuration finds Envoys. */
export interface EnvoyRules {
  /** The container's name is that of an Envoy. */
  readonly isEnvoy: (containerName: string) => boolean;
  /** The port where the pod itself tells none. */
  readonly port: number | undefined;
}

export interface FoundEnvoy {
  readonly port: number;
  /** Undefined where an annotation alone says that there is an Envoy. */
  readonly container: Container | undefined;
}

export const PORT_ANNOTATION = 'sidelight.io/port';
const PROMETHEUS_PORT_ANNOTATION = 'prometheus.io/port';
const PROMETHEUS_PATH_ANNOTATION = 'prometheus.io/path';

/** Containers that mesh products inject, with the port that each serves Prometheus at when nothing else is said. */
const USUAL_PORTS: Readonly<Record<string, number>> = {
  'istio-proxy': 15_090,
  'consul-dataplane': 20_200,
  'kuma-sidecar': 5670,
  'kuma-gateway': 5670,
};
/** Envoy's own example, App Mesh and most hand-made bootstraps. */
const ADMIN_PORT = 9901;

/** Names of an Envoy container's ports, the best first: the admin port tells more than a Prometheus port. */
const PORT_NAMES = [
  ...['admin', 'envoy-admin', 'http-admin', 'admin-http', 'http-envoy-admin', 'admin-port', 'proxy-admin'],
  ...['http-envoy-prom', 'envoy-prom', 'http-prom', 'envoy-metrics', 'http-metrics', 'prometheus', 'metrics', 'stats'],
];
/** Numbers by which an Envoy container's unnamed ports are known, the best first. */
const PORT_NUMBERS = [ADMIN_PORT, 19_000, 15_090, 20_200, 5670, 19_001, 15_020];

/** The pod's one Envoy, or in words why there is none. */
export function findEnvoy(pod: Pod, rules: EnvoyRules): FoundEnvoy | { readonly reason: string } {
  const container = envoyContainer(pod, rules);
  const annotated = pod.annotations[PORT_ANNOTATION];
  if (annotated !== undefined) {
    const port = parsePort(annotated, 1);
    return typeof port === 'number' ? { port, container } : { reason: `annotation ${PORT_ANNOTATION}: ${port}` };
  }
  if (container === undefined) {
    const names = pod.containers.map(({ name }) => name).join(', ');
    return {
      reason: `no container is an Envoy by its name (it has ${names || 'none'}): set discovery.kubernetes[].container, or annotate the pod with ${PORT_ANNOTATION}`,
    };
  }
  return { port: portOf(pod, container, rules), container };
}

/** Where several match, a mesh product's sidecar comes before an Envoy that is the pod's application. */
function envoyContainer(pod: Pod, { isEnvoy }: EnvoyRules): Container | undefined {
  const found = pod.containers.filter(({ name }) => isEnvoy(name));
  return found.find(({ name }) => Object.hasOwn(USUAL_PORTS, name)) ?? found[0];
}

function portOf(pod: Pod, container: Container, { port }: EnvoyRules): number {
  const ports = container.ports.filter(({ protocol }) => protocol === 'TCP');
  const usual = Object.hasOwn(USUAL_PORTS, container.name) ? USUAL_PORTS[container.name] : undefined;
  return (
    firstOf(PORT_NAMES, ports, 'name') ??
    prometheusPort(pod, ports) ??
    port ??
    firstOf(PORT_NUMBERS, ports, 'number') ??
    usual ??
    ADMIN_PORT
  );
}

function firstOf(wanted: readonly unknown[], ports: readonly ContainerPort[], key: 'name' | 'number') {
  for (const value of wanted) {
    const port = ports.find((one) => one[key] === value);
    if (port !== undefined) return port.number;
  }
  return undefined;
}

/** `prometheus.io/port` is mostly the application's: it counts where it is one of the Envoy's ports, or its path is Envoy's. */
function prometheusPort({ annotations }: Pod, ports: readonly ContainerPort[]): number | undefined {
  const port = parsePort(annotations[PROMETHEUS_PORT_ANNOTATION] ?? '', 1);
  if (typeof port !== 'number') return undefined;
  const own = PORT_NUMBERS.includes(port) || ports.some(({ number }) => number === port);
  return own || annotations[PROMETHEUS_PATH_ANNOTATION]?.startsWith('/stats') ? port : undefined;
}
