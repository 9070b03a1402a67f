/** What is read from a pod's manifest. Manifests come from outside: whatever has another type than it should is left out. */

import type { Labels } from '../model/labels.ts';

/** What is kept of a pod while its target is made; everything else of its manifest is forgotten at once. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  /** Being deleted: draining, until it is gone. */
  readonly deleting: boolean;
  /** Pending, Running, Succeeded, Failed or Unknown. */
  readonly phase: string;
  /** Empty before the pod has an address. */
  readonly ip: string;
  readonly hostIp: string;
  readonly nodeName: string;
  /** `true`, `false` or `unknown`. */
  readonly ready: string;
  readonly controller: { readonly kind: string; readonly name: string } | undefined;
  /** Those that run as long as the pod: ordinary ones, then native sidecars. */
  readonly containers: readonly Container[];
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly id: string;
  /** A native sidecar: an init container that is always restarted. */
  readonly init: boolean;
  readonly terminated: boolean;
  readonly ports: readonly ContainerPort[];
}

export interface ContainerPort {
  readonly name: string;
  readonly number: number;
  readonly protocol: string;
}

/** The pod of a manifest; undefined for what is none. */
export function readPod(manifest: unknown): Pod | undefined {
  const [metadata, spec, status] = [at(manifest, 'metadata'), at(manifest, 'spec'), at(manifest, 'status')];
  const [name, namespace] = [textAt(metadata, 'name'), textAt(metadata, 'namespace')];
  if (name === '' || namespace === '') return undefined;
  const controller = listAt(metadata, 'ownerReferences').find((owner) => at(owner, 'controller') === true);
  const ready = listAt(status, 'conditions').find((condition) => textAt(condition, 'type') === 'Ready');
  return {
    namespace,
    name,
    uid: textAt(metadata, 'uid'),
    labels: textsAt(metadata, 'labels'),
    annotations: textsAt(metadata, 'annotations'),
    deleting: textAt(metadata, 'deletionTimestamp') !== '',
    phase: textAt(status, 'phase'),
    ip: textAt(status, 'podIP') || textAt(listAt(status, 'podIPs')[0], 'ip'),
    hostIp: textAt(status, 'hostIP'),
    nodeName: textAt(spec, 'nodeName'),
    ready: textAt(ready, 'status').toLowerCase() || 'unknown',
    controller:
      controller === undefined ? undefined : { kind: textAt(controller, 'kind'), name: textAt(controller, 'name') },
    containers: [
      ...containersOf(listAt(spec, 'containers'), listAt(status, 'containerStatuses'), false),
      ...containersOf(
        listAt(spec, 'initContainers').filter((container) => textAt(container, 'restartPolicy') === 'Always'),
        listAt(status, 'initContainerStatuses'),
        true,
      ),
    ],
  };
}

function containersOf(specs: readonly unknown[], statuses: readonly unknown[], init: boolean): Container[] {
  return specs.map((spec) => {
    const name = textAt(spec, 'name');
    const status = statuses.find((one) => textAt(one, 'name') === name);
    return {
      name,
      image: textAt(spec, 'image'),
      id: textAt(status, 'containerID'),
      init,
      terminated: at(at(status, 'state'), 'terminated') !== undefined,
      ports: listAt(spec, 'ports').map((port) => ({
        name: textAt(port, 'name'),
        number: Number(at(port, 'containerPort')),
        protocol: textAt(port, 'protocol') || 'TCP',
      })),
    };
  });
}

/** What stands under a key of a map; undefined where it is no map. */
export function at(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

/** The text under a key; empty where there is none. */
export function textAt(value: unknown, key: string): string {
  const text = at(value, key);
  return typeof text === 'string' ? text : '';
}

/** The list under a key; empty where there is none. */
export function listAt(value: unknown, key: string): readonly unknown[] {
  const list = at(value, key);
  return Array.isArray(list) ? list : [];
}

/** Names to texts, such as a manifest's labels. */
export function textsAt(value: unknown, key: string): Labels {
  const map = at(value, key);
  if (typeof map !== 'object' || map === null) return {};
  return Object.fromEntries(Object.entries(map).filter(([, text]) => typeof text === 'string'));
}
