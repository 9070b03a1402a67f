import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { ENVOY_CONTAINERS } from '../../server/config/kubernetes-fields.ts';
import { parseConfig } from '../../server/config/load.ts';
import { VERSION } from '../../server/config/version.ts';
import type { Discoverer } from '../../server/discovery/discoverer.ts';
import { createKubernetesDiscoverer } from '../../server/discovery/kubernetes.ts';
import { podManifest } from '../discovery/pod-manifest.ts';
import { type Cluster, describeOnCluster, makePod, startCluster } from '../discovery/real-cluster.ts';
import { type RecordingSink, recordingSink } from '../discovery/recording-sink.ts';

const FOLDER = 'deploy/kubernetes';
const PARTS = ['', 'nodes', 'proxy'];

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

interface Role extends Manifest {
  readonly rules: readonly { apiGroups: string[]; resources: string[]; verbs: string[] }[];
}

const filesOf = (part: string) =>
  readdirSync(join(FOLDER, part)).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');

function manifestsOf(part: string): Manifest[] {
  const { resources } = parse(readFileSync(join(FOLDER, part, 'kustomization.yaml'), 'utf8')) as {
    resources: string[];
  };
  return resources.flatMap((file) =>
    parseAllDocuments(readFileSync(join(FOLDER, part, file), 'utf8')).map((document) => document.toJS() as Manifest),
  );
}

const manifestOf = <Kind extends Manifest>(kind: string, part = '') => {
  const found = manifestsOf(part).find((manifest) => manifest.kind === kind);
  if (found === undefined) throw new Error(`no ${kind} in ${FOLDER}/${part}`);
  return found as Kind;
};

/** Where a manifest of a kind is put. */
const FOLDERS: Readonly<Record<string, string>> = {
  Namespace: '/api/v1/namespaces',
  ServiceAccount: '/api/v1/namespaces/sidelight/serviceaccounts',
  ConfigMap: '/api/v1/namespaces/sidelight/configmaps',
  PersistentVolumeClaim: '/api/v1/namespaces/sidelight/persistentvolumeclaims',
  Service: '/api/v1/namespaces/sidelight/services',
  Deployment: '/apis/apps/v1/namespaces/sidelight/deployments',
  NetworkPolicy: '/apis/networking.k8s.io/v1/namespaces/sidelight/networkpolicies',
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
};

test.each(PARTS)('kustomization of %j names every file', (part) => {
  const { resources } = parse(readFileSync(join(FOLDER, part, 'kustomization.yaml'), 'utf8')) as {
    resources: string[];
  };
  expect(resources.toSorted()).toEqual(filesOf(part).toSorted());
});

test('the image has the tag of this version', () => {
  const { images } = parse(readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8')) as { images: unknown };
  expect(images).toEqual([{ name: 'sidelight', newTag: VERSION }]);
});

test('its configuration is one that we take, and listens where the probes ask', () => {
  const { data } = manifestOf<Manifest & { data: Record<string, string> }>('ConfigMap');
  const loaded = parseConfig(data['sidelight.yaml'] ?? '', 'sidelight.yaml');
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  expect(loaded.config.discovery.kubernetes).toHaveLength(1);
  expect(loaded.config.web).toMatchObject({ host: '', port: 9191 });
});

describeOnCluster('deploy/kubernetes on a real API server', () => {
  let cluster: Cluster;
  let folder: string;
  let kubeconfig: string;
  const running: Discoverer[] = [];

  const apply = (manifest: Manifest, query = '') =>
    cluster.ask(
      'PATCH',
      `${FOLDERS[manifest.kind]}/${manifest.metadata.name}?fieldManager=test&force=true&fieldValidation=Strict${query}`,
      manifest,
      'application/apply-patch+yaml',
    );

  beforeAll(async () => {
    cluster = await startCluster();
    folder = mkdtempSync(join(tmpdir(), 'account-'));
    for (const kind of ['Namespace', 'ServiceAccount', 'ClusterRole', 'ClusterRoleBinding'])
      await apply(manifestOf(kind));
    kubeconfig = await accountKubeconfig();
    await makePod(
      cluster,
      podManifest({ name: 'a', nodeName: 'node-a', status: { podIP: '127.20.0.9', podIPs: [{ ip: '127.20.0.9' }] } }),
    );
    const labels = { 'topology.kubernetes.io/zone': 'eu-a' };
    await cluster.ask('POST', '/api/v1/nodes', { metadata: { name: 'node-a', labels } });
  }, 120_000);
  afterEach(async () => {
    await Promise.all(running.splice(0).map((discoverer) => discoverer.stop()));
  });
  afterAll(async () => {
    await cluster?.stop();
    if (folder) rmSync(folder, { recursive: true });
  }, 60_000);

  /** As a pod has it: a token of its ServiceAccount and the certificate authority. */
  async function accountKubeconfig(): Promise<string> {
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } };
    const path = '/api/v1/namespaces/sidelight/serviceaccounts/sidelight/token';
    const { status } = (await cluster.ask('POST', path, request)) as { status: { token: string } };
    const file = join(folder, 'kubeconfig');
    const text = {
      clusters: [{ name: 'c', cluster: { server: cluster.url, 'certificate-authority': cluster.caFile } }],
      users: [{ name: 'u', user: { token: status.token } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    writeFileSync(file, JSON.stringify(text));
    return file;
  }

  function discover(): RecordingSink {
    const discoverer = createKubernetesDiscoverer(
      { kubeconfig, namespaces: [], selector: '', container: ENVOY_CONTAINERS, access: 'direct', relabel: [] },
      { now: Date.now, random: Math.random },
    );
    const sink = recordingSink();
    running.push(discoverer);
    discoverer.start(sink);
    return sink;
  }

  const soon = <T>(value: () => T) => expect.poll(value, { timeout: 15_000, interval: 20 });
  const told = (sink: RecordingSink) => sink.told.filter((error) => error !== '');

  test.each(
    PARTS.flatMap((part) => manifestsOf(part)).map((manifest) => [manifest.kind, manifest.metadata.name, manifest]),
  )('it takes %s %s, without an unknown field', async (_kind, _name, manifest) => {
    expect(await apply(manifest as Manifest, '&dryRun=All')).toMatchObject({ kind: manifest.kind });
  });

  test('its pod is let in where the pod security standard is "restricted"', async () => {
    const { spec } = manifestOf<Manifest & { spec: { template: { spec: object; metadata: object } } }>('Deployment');
    const pod = { metadata: { ...spec.template.metadata, name: 'sidelight' }, spec: spec.template.spec };
    await cluster.ask('POST', '/api/v1/namespaces/sidelight/pods?dryRun=All&fieldValidation=Strict', pod);
    const root = { ...pod, spec: { ...spec.template.spec, securityContext: { runAsUser: 0 } } };
    const refused = cluster.ask('POST', '/api/v1/namespaces/sidelight/pods?dryRun=All', root);
    await expect(refused).rejects.toThrow(/violates PodSecurity .{1,2}restricted/);
  });

  test('its rights are enough', async () => {
    const sink = discover();
    await soon(() => sink.addresses()).toEqual(['127.20.0.9:9901']);
    await soon(() => sink.told.at(-1)).toBe('');
    expect(told(sink)).toEqual([]);
    expect(sink.groups.get('default/a')?.targets[0]?.labels.__zone__).toBeUndefined();
  });

  const VERBS = manifestOf<Role>('ClusterRole').rules.flatMap(({ verbs }) => verbs);

  test.each(VERBS)('without the verb %s it does not work, and that is told', async (verb) => {
    const role = manifestOf<Role>('ClusterRole');
    const rules = role.rules.map((rule) => ({ ...rule, verbs: rule.verbs.filter((one) => one !== verb) }));
    await apply({ ...role, rules } as Role);
    try {
      const sink = discover();
      await soon(() => told(sink)[0]).toMatch(
        `system:serviceaccount:sidelight:sidelight is denied (403): it needs the verb ${verb} on pods in all namespaces; bind the ClusterRole of deploy/kubernetes to it`,
      );
    } finally {
      await apply(role);
    }
  });

  test('it may do nothing else', async () => {
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const may = async (verb: string, resource: string, group = '', subresource = '') => {
      const spec = {
        user: 'system:serviceaccount:sidelight:sidelight',
        groups: ['system:serviceaccounts', 'system:authenticated'],
        resourceAttributes: { namespace: 'default', verb, resource, group, subresource },
      };
      const { status } = (await cluster.ask('POST', path, { spec })) as { status: { allowed: boolean } };
      return status.allowed;
    };
    expect(await may('list', 'pods')).toBe(true);
    for (const verb of ['get', 'create', 'update', 'patch', 'delete'])
      expect(await may(verb, 'pods'), verb).toBe(false);
    for (const resource of ['secrets', 'configmaps', 'services', 'nodes', '*'])
      expect(await may('list', resource), resource).toBe(false);
    expect(await may('get', 'pods', '', 'proxy')).toBe(false);
    expect(await may('list', 'deployments', 'apps')).toBe(false);
  });

  test('the component nodes gives zones', async () => {
    for (const manifest of manifestsOf('nodes')) await apply(manifest);
    const sink = discover();
    await soon(() => sink.groups.get('default/a')?.targets[0]?.labels.__zone__).toBe('eu-a');
  });
});
