import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { KubernetesEntry } from '../../server/config/config.ts';
import { ENVOY_CONTAINERS } from '../../server/config/kubernetes-fields.ts';
import type { Discoverer } from '../../server/discovery/discoverer.ts';
import { createKubernetesDiscoverer } from '../../server/discovery/kubernetes.ts';
import { podManifest } from './pod-manifest.ts';
import { type Cluster, deletePod, describeOnCluster, makePod, patchStatus, startCluster } from './real-cluster.ts';
import { type RecordingSink, recordingSink } from './recording-sink.ts';

const soon = <T>(value: () => T) => expect.poll(value, { timeout: 15_000, interval: 20 });

describeOnCluster('discovery on a real API server', () => {
  let cluster: Cluster;
  const running: Discoverer[] = [];

  beforeAll(async () => {
    cluster = await startCluster();
    for (const name of ['one', 'two', 'three', 'many', 'restart'])
      await cluster.ask('POST', '/api/v1/namespaces', { metadata: { name } });
  }, 120_000);
  afterAll(async () => cluster?.stop(), 60_000);
  afterEach(async () => {
    await Promise.all(running.splice(0).map((discoverer) => discoverer.stop()));
  });

  function discover(entry: Partial<KubernetesEntry>): RecordingSink {
    const discoverer = createKubernetesDiscoverer(
      {
        kubeconfig: cluster.kubeconfig,
        namespaces: [],
        selector: '',
        container: ENVOY_CONTAINERS,
        access: 'direct',
        relabel: [],
        ...entry,
      },
      { now: Date.now, random: Math.random },
    );
    const sink = recordingSink();
    running.push(discoverer);
    discoverer.start(sink);
    return sink;
  }

  const pod = (namespace: string, name: string, ip: string, more: Parameters<typeof podManifest>[0] = {}) =>
    podManifest({
      nodeName: 'node-a',
      ...more,
      name,
      namespace,
      status: { podIP: ip, podIPs: [{ ip }], ...more.status },
    });

  test('pods appear, change and disappear within a second', async () => {
    const sink = discover({ namespaces: ['one'] });
    await soon(() => sink.batches.length).toBe(1);
    expect(sink.groups.size).toBe(0);
    const shop = pod('one', 'shop-1', '127.20.0.5', { labels: { app: 'shop' } });

    await makePod(cluster, shop);
    await soon(() => sink.addresses()).toEqual(['127.20.0.5:9901']);
    expect(sink.groups.get('one/shop-1')?.targets[0]?.labels).toMatchObject({ service: 'shop', instance: 'shop-1' });

    await cluster.ask(
      'PATCH',
      '/api/v1/namespaces/one/pods/shop-1',
      { metadata: { annotations: { 'sidelight.io/port': '9902' } } },
      'application/merge-patch+json',
    );
    await soon(() => sink.addresses()).toEqual(['127.20.0.5:9902']);

    await cluster.ask('DELETE', '/api/v1/namespaces/one/pods/shop-1');
    await patchStatus(cluster, shop, { conditions: [{ type: 'Ready', status: 'False' }] });
    await soon(() => sink.groups.get('one/shop-1')?.targets[0]?.labels.__meta_kubernetes_pod_ready).toBe('false');
    await deletePod(cluster, shop);
    await soon(() => sink.addresses()).toEqual([]);

    await makePod(cluster, pod('one', 'job-1', '127.20.0.6'));
    await soon(() => sink.addresses()).toEqual(['127.20.0.6:9901']);
    await patchStatus(cluster, pod('one', 'job-1', ''), { phase: 'Failed', reason: 'Evicted' });
    await soon(() => sink.addresses()).toEqual([]);
    expect(sink.told.filter((error) => error !== '')).toEqual([]);
  });

  test('a pod without an Envoy is told, with the reason', async () => {
    await makePod(cluster, pod('one', 'plain', '127.20.0.7', { containers: [{ name: 'app', image: 'app' }] }));
    const sink = discover({ namespaces: ['one'] });
    await soon(() => sink.groups.get('one/plain')?.excluded?.[0]?.reason).toMatch(/no container is an Envoy/);
  });

  test("regions and zones are the node's, also when it is seen after its pod", async () => {
    await makePod(cluster, pod('two', 'late', '127.20.1.1', { nodeName: 'node-late' }));
    const sink = discover({ namespaces: ['two'] });
    const place = () => {
      const { __region__, __zone__ } = sink.groups.get('two/late')?.targets[0]?.labels ?? {};
      return [__region__, __zone__];
    };
    await soon(() => sink.addresses()).toEqual(['127.20.1.1:9901']);
    expect(place()).toEqual([undefined, undefined]);
    const labels = { 'topology.kubernetes.io/region': 'eu', 'topology.kubernetes.io/zone': 'eu-a' };
    await cluster.ask('POST', '/api/v1/nodes', { metadata: { name: 'node-late', labels } });
    await soon(place).toEqual(['eu', 'eu-a']);
  });

  test('several namespaces, all of them, and label selectors', async () => {
    await makePod(cluster, pod('two', 'a', '127.20.2.1', { labels: { app: 'a', team: 'x' } }));
    await makePod(cluster, pod('three', 'b', '127.20.2.2', { labels: { app: 'b', team: 'y' } }));
    const both = discover({ namespaces: ['two', 'three'], selector: 'team' });
    const all = discover({ selector: 'team' });
    const some = discover({ selector: 'team in (y, z), app!=c' });
    const one = discover({ namespaces: ['two'], selector: 'team=x' });
    await soon(() => both.addresses()).toEqual(['127.20.2.1:9901', '127.20.2.2:9901']);
    await soon(() => all.addresses()).toEqual(['127.20.2.1:9901', '127.20.2.2:9901']);
    await soon(() => some.addresses()).toEqual(['127.20.2.2:9901']);
    await soon(() => one.addresses()).toEqual(['127.20.2.1:9901']);
    expect(both.batches).toHaveLength(1);

    const relabelled = { metadata: { labels: { team: null } } };
    await cluster.ask('PATCH', '/api/v1/namespaces/two/pods/a', relabelled, 'application/merge-patch+json');
    await soon(() => one.addresses()).toEqual([]);
  });

  test('an account that may read the pods of one namespace is enough for it', async () => {
    const kubeconfig = cluster.restrictedKubeconfig;
    await makePod(cluster, pod(cluster.namespace, 'mine', '127.20.3.1'));
    const allowed = discover({ kubeconfig, namespaces: [cluster.namespace] });
    const denied = discover({ kubeconfig });
    const half = discover({ kubeconfig, namespaces: ['two', cluster.namespace] });
    await soon(() => allowed.addresses()).toEqual(['127.20.3.1:9901']);
    expect(allowed.told.filter((error) => error !== '')).toEqual([]);
    await soon(() => half.addresses()).toEqual(['127.20.3.1:9901']);
    const user = 'system:serviceaccount:kubetest:pod-reader';
    await soon(() => denied.told.at(-1)).toBe(
      `${user} is denied (403): it needs the verb list on pods in all namespaces; bind the ClusterRole of deploy/kubernetes to it, or name the namespaces it may see in discovery.kubernetes[].namespaces`,
    );
    await soon(() => half.told.at(-1)).toBe(
      `${user} is denied (403): it needs the verb list on pods in namespace two; bind a Role with the verbs list and watch on pods to it there`,
    );
    expect(denied.batches).toEqual([]);
  });

  test('a wrong selector is told', async () => {
    const sink = discover({ selector: 'a=b=c' });
    await soon(() => sink.told.at(-1)).toMatch(/\(400\): is selector a label selector\? found '='/);
  });

  test('10,000 pods', async () => {
    const numbers = Array.from({ length: 10_000 }, (_, number) => number);
    const makeAll = async () => {
      for (let number = numbers.pop(); number !== undefined; number = numbers.pop())
        await makePod(cluster, pod('many', `pod-${number}`, `127.21.${number >> 8}.${number & 255}`));
    };
    await Promise.all(Array.from({ length: 16 }, makeAll));
    const sink = discover({ namespaces: ['many'] });
    await soon(() => sink.groups.size).toBe(10_000);
    expect(sink.batches).toHaveLength(1);
    expect(new Set(sink.addresses()).size).toBe(10_000);
    await deletePod(cluster, pod('many', 'pod-4711', ''));
    await soon(() => sink.groups.size).toBe(9999);
  }, 600_000);

  test('a restart of the API server keeps the targets, and heals', async () => {
    await makePod(cluster, pod('restart', 'before', '127.20.4.1'));
    const sink = discover({ namespaces: ['restart'] });
    await soon(() => sink.addresses()).toEqual(['127.20.4.1:9901']);
    await cluster.stopApiServer();
    await soon(() => sink.told.at(-1)).toMatch(/the API server https:\/\/127.0.0.1:\d+ can't be asked/);
    expect(sink.addresses()).toEqual(['127.20.4.1:9901']);
    await cluster.startApiServer();
    await makePod(cluster, pod('restart', 'after', '127.20.4.2'));
    await soon(() => sink.addresses()).toEqual(['127.20.4.1:9901', '127.20.4.2:9901']);
    await soon(() => sink.told.at(-1)).toBe('');
    expect(sink.batches.flat().filter(({ targets }) => targets.length === 0)).toEqual([]);
  }, 60_000);
});
