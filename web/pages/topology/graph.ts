/** What is drawn of the topology: services, or their namespaces, and the calls between them. Pure. */

import { judgeCalls, WORST_FIRST } from '../../figures/calls.ts';
import { type Health, judge } from '../../figures/health.ts';
import type { ListedCall, ListedCalls } from '../../listed-call.ts';
import type { ListedService } from '../../listed-service.ts';
import type { View } from '../../state/url.ts';

export interface GraphNode {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  /** Services in it; 1 for a service itself. */
  readonly services: number;
  readonly gateway: boolean;
  readonly health: Health;
  readonly requestRate: number | null;
  /** The service itself; null for a namespace, and where its figures are not known. */
  readonly summary: ListedService | null;
}

export interface GraphEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly requests: number | null;
  readonly requestRate: number | null;
  readonly errorRate: number | null;
  /** Of one call; of several together the slowest one's, since percentiles do not add up. */
  readonly p95: number | null;
  readonly calls: readonly ListedCall[];
  readonly health: Health;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** From how many services on they are grouped by namespace unless chosen otherwise. */
export const GROUPED_FROM = 80;

const NO_NAMESPACE = '(none)';

/** Whether services are shown one by one or by namespace. */
export function groupingOf({ nodes }: Pick<ListedCalls, 'nodes'>, chosen: View['nodes']): 'service' | 'namespace' {
  if (chosen) return chosen;
  const namespaces = new Set(nodes.map(({ namespace }) => namespace));
  return nodes.length >= GROUPED_FROM && namespaces.size > 1 ? 'namespace' : 'service';
}

/** Id of a service in the topology. */
export function idOf({ service, namespace }: { readonly service: string; readonly namespace: string }): string {
  return namespace === '' ? service : `${namespace}/${service}`;
}

/** The services and the calls between them. */
export function serviceGraph({ nodes, edges }: ListedCalls, services: readonly ListedService[]): Graph {
  const known = new Map(services.map((service) => [idOf(service), service]));
  const ids = new Set(nodes.map(({ id }) => id));
  return {
    nodes: nodes.map((node) => {
      const summary = known.get(node.id) ?? null;
      return {
        id: node.id,
        name: node.service,
        namespace: node.namespace,
        services: 1,
        gateway: node.role === 'gateway',
        health: summary ? judge(summary).health : 'unknown',
        requestRate: summary?.requestRate ?? null,
        summary,
      };
    }),
    edges: edges
      .filter(({ source, target }) => ids.has(source) && ids.has(target))
      .map((edge) => edgeOf(edge.source, edge.target, [edge])),
  };
}

/** The namespaces, with the calls between them added up; calls within one are left out. */
export function namespaceGraph({ nodes, edges }: Graph): Graph {
  const namespaceOf = new Map(nodes.map(({ id, namespace }) => [id, namespace || NO_NAMESPACE]));
  const members = Map.groupBy(nodes, ({ namespace }) => namespace || NO_NAMESPACE);
  const calls = Map.groupBy(
    edges.filter(({ source, target }) => namespaceOf.get(source) !== namespaceOf.get(target)),
    ({ source, target }) => JSON.stringify([namespaceOf.get(source), namespaceOf.get(target)]),
  );
  return {
    nodes: [...members].map(([namespace, services]) => ({
      id: namespace,
      name: namespace,
      namespace,
      services: services.length,
      gateway: services.some(({ gateway }) => gateway),
      health: WORST_FIRST.find((health) => services.some((service) => service.health === health)) ?? 'unknown',
      requestRate: sum(services.map(({ requestRate }) => requestRate)),
      summary: null,
    })),
    edges: [...calls].map(([ends, between]) => {
      const [source = '', target = ''] = JSON.parse(ends) as string[];
      return edgeOf(
        source,
        target,
        between.flatMap((edge) => edge.calls),
      );
    }),
  };
}

function edgeOf(source: string, target: string, calls: readonly ListedCall[]): GraphEdge {
  const requests = sum(calls.map((call) => call.requests));
  const failures = calls.map((call) =>
    call.errorRate === null || call.requests === null ? null : call.requests * call.errorRate,
  );
  const failed = sum(failures);
  const judged = sum(calls.map((call, index) => (failures[index] === null ? null : call.requests)));
  const errorRate = failed === null || !judged ? null : failed / judged;
  return {
    id: JSON.stringify([source, target]),
    source,
    target,
    requests,
    requestRate: sum(calls.map((call) => call.requestRate)),
    errorRate,
    p95: largest(calls.map((call) => call.latencyMs.p95)),
    calls,
    health: judgeCalls({ requests, errorRate }),
  };
}

function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** One node with those it calls and is called by. */
export function neighbourhood({ nodes, edges }: Graph, focus: string): Graph {
  const near = neighboursOf(edges, focus);
  return {
    nodes: nodes.filter(({ id }) => near.has(id)),
    edges: edges.filter(({ source, target }) => source === focus || target === focus),
  };
}

/** A node itself and all that it calls or is called by. */
export function neighboursOf(edges: readonly GraphEdge[], focus: string): Set<string> {
  const near = new Set([focus]);
  for (const { source, target } of edges) {
    if (source === focus) near.add(target);
    if (target === focus) near.add(source);
  }
  return near;
}

/** Nodes of which every word of the search is in the name or namespace. */
export function searchNodes(nodes: readonly GraphNode[], search: string): readonly GraphNode[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return nodes.filter(({ name, namespace }) => {
    const text = `${name} ${namespace}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
