/** From a pod to its target: labels, service, role and place. */

import type { Labels } from '../model/labels.ts';
import type { Reach } from '../model/reach.ts';
import { formatTargetAddress } from '../model/target.ts';
import type { TargetGroup } from './discoverer.ts';
import { type EnvoyRules, type FoundEnvoy, findEnvoy } from './kubernetes-envoy.ts';
import type { Pod } from './kubernetes-pod.ts';

/** Region and zone of a node; empty where it tells none. */
export interface Place {
  readonly region: string;
  readonly zone: string;
}

type TextKind = 'label' | 'annotation';

export const NOWHERE: Place = { region: '', zone: '' };

export interface PodRules extends EnvoyRules {
  /** How to reach a port of a pod, where that is not by its own address. */
  readonly reach?: ((pod: Pod, port: number) => Reach) | undefined;
}

/** Longer annotations are left out: whole manifests and certificates stand in some. */
const MAX_ANNOTATION = 1024;

const REGION_LABELS = ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'];
const ZONE_LABELS = ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'];
const SERVICE_LABELS = ['service.istio.io/canonical-name', 'app.kubernetes.io/name', 'app'];

/** Labels of pods that are gateways, with the values that make them one; an application may well be a payment-gateway. */
const GATEWAY_LABELS: readonly (readonly [label: string, value: RegExp])[] = [
  ['gateway.networking.k8s.io/gateway-name', /./],
  ['gateway.envoyproxy.io/owning-gateway-name', /./],
  ['istio', /gateway$/],
  ['istio.io/gateway-name', /./],
  ['operator.istio.io/component', /Gateways$/],
  ['app.kubernetes.io/component', /^(?:(?:in|e)gress-?)?gateway$/],
  ['api-gateway.consul.hashicorp.com/name', /./],
];
const GATEWAY_ANNOTATIONS: readonly (readonly [annotation: string, value: RegExp])[] = [
  ['kuma.io/gateway', /^(enabled|builtin|provided)$/],
  ['consul.hashicorp.com/gateway-kind', /./],
];

/** The name under which a pod's target is known to the target set. */
export function sourceOf({ namespace, name }: Pick<Pod, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/** The group of a pod: its one target, or why it has none, or nothing where none is to be expected. */
export function podGroup(pod: Pod, rules: PodRules, node: Place): TargetGroup {
  const source = sourceOf(pod);
  if (pod.phase === 'Succeeded' || pod.phase === 'Failed' || pod.ip === '') return { source, targets: [] };
  const found = findEnvoy(pod, rules);
  if ('reason' in found) {
    const labels = { __meta_kubernetes_namespace: pod.namespace, __meta_kubernetes_pod_name: pod.name };
    return { source, targets: [], excluded: [{ labels, reason: found.reason }] };
  }
  if (pod.deleting && found.container?.terminated) return { source, targets: [] };
  const address = formatTargetAddress({ scheme: 'http', host: pod.ip, port: found.port, path: '' });
  const labels = { ...metaLabels(pod, found), ...plainLabels(pod), ...placeLabels(pod.labels, node) };
  const reach = rules.reach?.(pod, found.port);
  return { source, targets: [{ address, labels, ...(reach && { reach }) }] };
}

/** The group of the same pod, now that its node tells another place. */
export function movedGroup(group: TargetGroup, node: Place): TargetGroup {
  const targets = group.targets.map((target) => {
    const { __region__, __zone__, ...labels } = target.labels;
    const own = (names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [name, labels[`__meta_kubernetes_pod_label_${labelName(name)}`] ?? '']));
    return {
      ...target,
      labels: { ...labels, ...placeLabels({ ...own(REGION_LABELS), ...own(ZONE_LABELS) }, node) },
    };
  });
  return { ...group, targets };
}

/** Region and zone by the labels of a node or a pod. */
export function placeOf(labels: Labels): Place {
  return { region: firstOf(labels, REGION_LABELS), zone: firstOf(labels, ZONE_LABELS) };
}

function placeLabels(podLabels: Labels, node: Place): Labels {
  const own = placeOf(podLabels);
  return withoutEmpty({ __region__: own.region || node.region, __zone__: own.zone || node.zone });
}

function plainLabels(pod: Pod): Labels {
  const service = firstOf(pod.labels, SERVICE_LABELS) || workloadOf(pod);
  const role = isGateway(pod) ? 'gateway' : '';
  return withoutEmpty({ service, instance: pod.name, namespace: pod.namespace, role });
}

/** The names are those of Prometheus' kubernetes_sd_configs, role pod. */
function metaLabels(pod: Pod, { container, port }: FoundEnvoy): Labels {
  const declared = container?.ports.find(({ number }) => number === port);
  const labels: Record<string, string> = withoutEmpty({
    __meta_kubernetes_namespace: pod.namespace,
    __meta_kubernetes_pod_name: pod.name,
    __meta_kubernetes_pod_ip: pod.ip,
    __meta_kubernetes_pod_ready: pod.ready,
    __meta_kubernetes_pod_phase: pod.phase,
    __meta_kubernetes_pod_node_name: pod.nodeName,
    __meta_kubernetes_pod_host_ip: pod.hostIp,
    __meta_kubernetes_pod_uid: pod.uid,
    __meta_kubernetes_pod_controller_kind: pod.controller?.kind ?? '',
    __meta_kubernetes_pod_controller_name: pod.controller?.name ?? '',
    __meta_kubernetes_pod_container_name: container?.name ?? '',
    __meta_kubernetes_pod_container_image: container?.image ?? '',
    __meta_kubernetes_pod_container_id: container?.id ?? '',
    __meta_kubernetes_pod_container_init: container === undefined ? '' : String(container.init),
    __meta_kubernetes_pod_container_port_name: declared?.name ?? '',
    __meta_kubernetes_pod_container_port_number: String(port),
    __meta_kubernetes_pod_container_port_protocol: declared?.protocol ?? 'TCP',
  });
  addTexts(labels, 'label', Object.entries(pod.labels));
  addTexts(
    labels,
    'annotation',
    Object.entries(pod.annotations).filter(([, text]) => text.length <= MAX_ANNOTATION),
  );
  return labels;
}

function addTexts(labels: Record<string, string>, kind: TextKind, texts: readonly [string, string][]) {
  for (const [name, text] of texts) {
    const { value, present } = metaNames(kind, name);
    labels[value] = text;
    labels[present] = 'true';
  }
}

/** Label names of labels and annotations that were seen: most pods have the same ones. */
const META_NAMES: Readonly<Record<TextKind, Map<string, { readonly value: string; readonly present: string }>>> = {
  label: new Map(),
  annotation: new Map(),
};
const MAX_META_NAMES = 10_000;

function metaNames(kind: TextKind, name: string) {
  const seen = META_NAMES[kind];
  const known = seen.get(name);
  if (known !== undefined) return known;
  const suffix = labelName(name);
  const names = {
    value: `__meta_kubernetes_pod_${kind}_${suffix}`,
    present: `__meta_kubernetes_pod_${kind}present_${suffix}`,
  };
  if (seen.size >= MAX_META_NAMES) seen.clear();
  seen.set(name, names);
  return names;
}

/** As Prometheus writes a Kubernetes name as a part of a label's name. */
function labelName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
}

/**
 * The workload that owns the pod, told by names alone, so that no access to ReplicaSets or Jobs is needed: a
 * Deployment's (or Rollout's) ReplicaSet ends in the pod's template hash, a CronJob's Job in the minute it was due.
 */
function workloadOf({ controller, labels }: Pod): string {
  if (controller === undefined) return '';
  const { kind, name } = controller;
  if (kind === 'Job') return name.replace(/-\d{8,11}$/, '');
  if (kind !== 'ReplicaSet') return kind === 'Node' ? '' : name;
  const hash = labels['pod-template-hash'] ?? labels['rollouts-pod-template-hash'];
  return hash && name.endsWith(`-${hash}`) ? name.slice(0, -hash.length - 1) : name;
}

function isGateway({ labels, annotations }: Pod): boolean {
  const among = (rules: typeof GATEWAY_LABELS, texts: Labels) =>
    rules.some(([name, value]) => Object.hasOwn(texts, name) && value.test(texts[name] ?? ''));
  return among(GATEWAY_LABELS, labels) || among(GATEWAY_ANNOTATIONS, annotations);
}

function firstOf(labels: Labels, names: readonly string[]): string {
  for (const name of names) if (Object.hasOwn(labels, name) && labels[name]) return labels[name];
  return '';
}

function withoutEmpty(labels: Record<string, string>): Record<string, string> {
  for (const [name, value] of Object.entries(labels)) if (value === '') delete labels[name];
  return labels;
}
