/**
 * Who an instance is, by OpenTelemetry's conventions for resources
 * (https://opentelemetry.io/docs/specs/semconv/resource/).
 */

import type { LiveTarget } from '../../live/live.ts';
import type { Labels } from '../../model/labels.ts';

/** Attributes from the labels that series have at /metrics. */
const FROM_SERIES = [
  ['service', 'service.name'],
  ['namespace', 'service.namespace'],
  ['instance', 'service.instance.id'],
  ['region', 'cloud.region'],
  ['zone', 'cloud.availability_zone'],
] as const;

/** Attributes from what discovery told. */
const FROM_DISCOVERY = [
  ['__meta_kubernetes_namespace', 'k8s.namespace.name'],
  ['__meta_kubernetes_pod_name', 'k8s.pod.name'],
  ['__meta_kubernetes_pod_uid', 'k8s.pod.uid'],
  ['__meta_kubernetes_pod_node_name', 'k8s.node.name'],
  ['__meta_kubernetes_pod_label_app_kubernetes_io_version', 'service.version'],
] as const;

const CONTROLLERS: Readonly<Record<string, string>> = {
  ReplicaSet: 'k8s.replicaset.name',
  StatefulSet: 'k8s.statefulset.name',
  DaemonSet: 'k8s.daemonset.name',
  Job: 'k8s.job.name',
};

/** What service.name is to be where nobody knows it. */
const UNKNOWN_SERVICE = 'unknown_service:envoy';

export const SERIES_LABELS: ReadonlySet<string> = new Set(FROM_SERIES.map(([label]) => label));

/** @param labels of a series of the target at /metrics. */
export function resourceOf(labels: Labels, { target: { discoveredLabels } }: LiveTarget): Labels {
  const attributes: Record<string, string> = { 'service.name': UNKNOWN_SERVICE };
  const put = (name: string, value: string | undefined) => {
    if (value) attributes[name] = value;
  };
  for (const [label, name] of FROM_SERIES) put(name, labels[label]);
  for (const [label, name] of FROM_DISCOVERY) put(name, discoveredLabels[label]);
  const controller = CONTROLLERS[discoveredLabels.__meta_kubernetes_pod_controller_kind ?? ''];
  if (controller) put(controller, discoveredLabels.__meta_kubernetes_pod_controller_name);
  put('k8s.deployment.name', deploymentOf(discoveredLabels));
  return attributes;
}

/** A deployment's replica sets are named by it and by the hash that their pods carry. */
function deploymentOf(labels: Labels): string | undefined {
  const hash = labels.__meta_kubernetes_pod_label_pod_template_hash ?? '';
  const name = labels.__meta_kubernetes_pod_controller_name ?? '';
  const isReplicaSet = labels.__meta_kubernetes_pod_controller_kind === 'ReplicaSet';
  return isReplicaSet && hash !== '' && name.endsWith(`-${hash}`) ? name.slice(0, -hash.length - 1) : undefined;
}
