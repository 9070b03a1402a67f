/** A pod's manifest as an API server gives it, short where a test says nothing else. */
export interface ManifestOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: { readonly kind: string; readonly name: string };
  readonly deletionTimestamp?: string;
  readonly nodeName?: string;
  readonly containers?: readonly object[];
  readonly initContainers?: readonly object[];
  readonly status?: Readonly<Record<string, unknown>>;
}

export const ENVOY_CONTAINER = { name: 'envoy', image: 'envoy:v1.40' };

export function podManifest(options: ManifestOptions = {}) {
  const { name = 'shop-1', namespace = 'default', labels, annotations, owner, deletionTimestamp } = options;
  const { nodeName, containers = [{ name: 'app', image: 'app:1' }, ENVOY_CONTAINER], initContainers, status } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(owner && { ownerReferences: [{ apiVersion: 'apps/v1', uid: 'u', controller: true, ...owner }] }),
      ...(deletionTimestamp && { deletionTimestamp }),
    },
    spec: { ...(nodeName && { nodeName }), containers, ...(initContainers && { initContainers }) },
    status: { phase: 'Running', podIP: '10.0.0.5', podIPs: [{ ip: '10.0.0.5' }], ...status },
  };
}
