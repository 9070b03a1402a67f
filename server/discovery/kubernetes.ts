/** `discovery.kubernetes`: a target for every pod that runs an Envoy. */

import { RE2JS } from 're2js';
import type { KubernetesEntry } from '../config/config.ts';
import type { CreateDiscoverer, Discoverer, DiscoverySink, Surroundings, TargetGroup } from './discoverer.ts';
import { ApiServer } from './kubernetes-api.ts';
import type { Asked } from './kubernetes-error.ts';
import { METADATA_LIST, METADATA_WATCH, NodePlaces } from './kubernetes-nodes.ts';
import type { Pod } from './kubernetes-pod.ts';
import { PodGroups } from './kubernetes-pods.ts';
import type { PodRules } from './kubernetes-target.ts';
import { type ObjectSink, ObjectWatch, WATCH_TIMING, type WatchTiming } from './kubernetes-watch.ts';

/** Nodes are optional: where they are denied, they are asked for this seldom. */
const NODES_DENIED_MS = 600_000;
const MAX_SHOWN_ERRORS = 3;

export const createKubernetesDiscoverer: CreateDiscoverer<KubernetesEntry> = (entry, surroundings) =>
  new KubernetesDiscoverer(entry, surroundings);

/** A watch of pods for each namespace (one for all of them when none is named), and one of nodes. */
export class KubernetesDiscoverer implements Discoverer {
  private readonly entry: KubernetesEntry;
  private readonly surroundings: Surroundings;
  private readonly timing: WatchTiming;
  private readonly api: ApiServer;
  private readonly watches: ObjectWatch[] = [];
  private sink: DiscoverySink | undefined;
  /** Watches that have neither listed nor failed yet; until there are none, what is found is held back. */
  private readonly awaited = new Set<string>();
  private readonly errors = new Map<string, string>();
  private held: TargetGroup[] = [];
  private listed = false;
  private released = false;

  constructor(entry: KubernetesEntry, surroundings: Surroundings, timing: WatchTiming = WATCH_TIMING) {
    this.entry = entry;
    this.surroundings = surroundings;
    this.timing = timing;
    const { kubeconfig, access } = entry;
    this.api = new ApiServer({ kubeconfig, now: surroundings.now, asksPods: access === 'proxy' });
  }

  start(sink: DiscoverySink): void {
    this.sink = sink;
    const { namespaces } = this.entry;
    const pods: PodGroups[] = [];
    const nodes = new NodePlaces((moved) => {
      for (const one of pods) one.moved(moved);
    });
    this.watchNodes(nodes);
    const rules = this.rules();
    for (const namespace of namespaces.length === 0 ? [''] : namespaces) {
      const groups = new PodGroups({
        rules,
        placeOfNode: (name) => nodes.placeOf(name),
        emit: (changed) => this.emit(changed),
      });
      pods.push(groups);
      this.watchPods(namespace, groups);
    }
    for (const watch of this.watches) watch.start();
  }

  async stop(): Promise<void> {
    this.sink = undefined;
    await Promise.all(this.watches.map((watch) => watch.stop()));
    this.api.close();
  }

  private watchPods(namespace: string, groups: PodGroups): void {
    const id = `pods ${namespace}`;
    const sink: ObjectSink = {
      begin: () => groups.begin(),
      item: (pod) => groups.item(pod),
      end: () => {
        this.listed = true;
        groups.end();
        this.answered(id);
      },
      changed: (pod) => groups.changed(pod),
      deleted: (pod) => groups.deleted(pod),
      health: (error) => this.health(id, error),
    };
    const asked: Asked = { verb: 'list', resource: 'pods', namespace };
    this.watch(id, { asked, sink, labelSelector: this.entry.selector });
  }

  private watchNodes(nodes: NodePlaces): void {
    const sink: ObjectSink = {
      begin: () => nodes.begin(),
      item: (node) => nodes.item(node),
      end: () => {
        nodes.end();
        this.answered('nodes');
      },
      changed: (node) => nodes.changed(node),
      deleted: (node) => nodes.deleted(node),
      health: () => this.answered('nodes'),
    };
    const asked: Asked = { verb: 'list', resource: 'nodes', namespace: '' };
    const timing = { ...this.timing, deniedMs: NODES_DENIED_MS };
    this.watch('nodes', { asked, sink, timing, accept: { list: METADATA_LIST, watch: METADATA_WATCH } });
  }

  private watch(id: string, options: Partial<ConstructorParameters<typeof ObjectWatch>[0]> & WatchTask): void {
    this.awaited.add(id);
    const { api, surroundings, timing } = this;
    this.watches.push(new ObjectWatch({ api, surroundings, timing, accept: JSON_ONLY, ...options }));
  }

  /** The first groups of all watches go out in one update, so that the first set of targets is a whole one. */
  private emit(groups: readonly TargetGroup[]): void {
    if (!this.released) this.held.push(...groups);
    else if (groups.length > 0) this.sink?.update(groups);
  }

  private answered(id: string): void {
    this.awaited.delete(id);
    if (this.released || !this.listed || this.awaited.size > 0) return;
    this.released = true;
    this.sink?.update(this.held);
    this.held = [];
  }

  private health(id: string, error: string): void {
    if (error === '') this.errors.delete(id);
    else this.errors.set(id, error);
    this.answered(id);
    this.sink?.health([...new Set(this.errors.values())].slice(0, MAX_SHOWN_ERRORS).join('; '));
  }

  private rules(): PodRules {
    const { container, port, access } = this.entry;
    const pattern = RE2JS.compile(container);
    const isEnvoy = (name: string) => pattern.matches(name);
    return { isEnvoy, port, reach: access === 'proxy' ? (pod, number) => this.proxyReach(pod, number) : undefined };
  }

  /** Through the API server, which connects to the pod in our place; the address stays the target's identity. */
  private proxyReach({ namespace, name }: Pod, port: number) {
    const { server = '', tls = {} } = this.api.current ?? {};
    const via = `${server}/api/v1/namespaces/${namespace}/pods/${name}:${port}/proxy`;
    return { key: via, via, tls, headers: this.headers };
  }

  private readonly headers = async () => (await this.api.access()).headers();
}

const JSON_ONLY = { list: 'application/json', watch: 'application/json' };

type WatchTask = Pick<ConstructorParameters<typeof ObjectWatch>[0], 'asked' | 'sink'>;
