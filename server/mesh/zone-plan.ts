import type { ClusterNames } from '../envoy/cluster-names.ts';
import { parseZoneStatName } from '../envoy/stat-names.ts';
import type { StatsLayout } from '../envoy/stats.ts';
import { COUNTER_INDEX, type FlowKey, flowText } from '../model/flow.ts';
import { keyOf } from '../model/labels.ts';
import type { NamingRules } from './naming-rules.ts';
import { NO_STEPS } from './no-steps.ts';
import { type Products, peerOf } from './peer-names.ts';
import type { CounterStep, Plan, ResetMark, Step } from './plan.ts';
import { gatewayProductsOf } from './recognisers.ts';
import { ZONE } from './stat-fields.ts';

export interface ZonePlanInput {
  /** Of the answer to the zone request. */
  readonly layout: StatsLayout;
  /** All clusters of the target. */
  readonly clusters: ClusterNames;
  readonly peerClusters: ReadonlySet<string>;
  readonly rules: NamingRules;
  /** The zone that Envoy says it is in; empty where it doesn't. */
  readonly ownZone: string;
  readonly role: Plan['role'];
}

interface KnownPlan {
  readonly layout: StatsLayout;
  readonly ownZone: string;
  readonly plan: Plan;
}

/** By the clusters, which are one object for all targets of the same names, rules and role. */
const PLANS = new WeakMap<ClusterNames, KnownPlan[]>();
const MOST_OF_CLUSTERS = 16;

/** The same plan for all targets that list the same names and are in the same zone. */
export function sharedZonePlan(input: ZonePlanInput): Plan {
  const { layout, clusters, ownZone } = input;
  const known = PLANS.get(clusters) ?? [];
  const same = known.find((one) => one.layout === layout && one.ownZone === ownZone);
  if (same) return same.plan;
  const plan = compileZonePlan(input);
  PLANS.set(clusters, [{ layout, ownZone, plan }, ...known].slice(0, MOST_OF_CLUSTERS));
  return plan;
}

/** What to do with the stats that a target tells by zone: those of its peers count, each in a flow of its own. */
export function compileZonePlan({ layout, clusters, peerClusters, rules, ownZone, role }: ZonePlanInput): Plan {
  const draft = new ZoneFlows(rules, gatewayProductsOf(clusters));
  const counters: CounterStep[] = [];
  const resetMarks: ResetMark[] = [];
  const histograms: Step[] = [];
  const read = (name: string) => {
    const found = parseZoneStatName(name, clusters, ownZone);
    return found && peerClusters.has(found.cluster) ? found : undefined;
  };
  layout.scalars.forEach((name, slot) => {
    const found = read(name);
    if (!found) return;
    const { flow, owner } = draft.add(found.cluster, found.zone);
    const counter = ZONE.counters[found.stat];
    if (found.stat === ZONE_MARK) resetMarks.push({ slot, owner });
    if (counter) counters.push({ slot, flow, field: COUNTER_INDEX[counter], owner });
  });
  layout.histograms.forEach((name, slot) => {
    const found = read(name);
    if (found?.stat === ZONE.histogram)
      histograms.push({ slot, flow: draft.add(found.cluster, found.zone).flow, field: 0 });
  });
  const { flows, owners } = draft;
  return { ...NO_STEPS, flows, owners, counters, resetMarks, histograms, role };
}

/** Every request raises it; see {@link Plan.resetMarks}. */
const ZONE_MARK = 'upstream_rq_completed';

class ZoneFlows {
  readonly flows: FlowKey[] = [];
  /** The flow of each cluster and zone. */
  readonly owners: number[] = [];
  private readonly rules: NamingRules;
  private readonly products: Products;
  private readonly flowIndex = new Map<string, number>();
  private readonly ownerIndex = new Map<string, number>();

  constructor(rules: NamingRules, products: Products) {
    this.rules = rules;
    this.products = products;
  }

  add(cluster: string, peerZone: string): { flow: number; owner: number } {
    const key = keyOf([cluster, peerZone]);
    const known = this.ownerIndex.get(key);
    if (known !== undefined) return { flow: this.owners[known] ?? 0, owner: known };
    const { service, namespace } = peerOf(cluster, this.rules, this.products);
    const flow = this.flow({
      direction: 'zone',
      peer: service,
      peerNamespace: namespace,
      source: 'upstream',
      peerZone,
    });
    const owner = this.owners.push(flow) - 1;
    this.ownerIndex.set(key, owner);
    return { flow, owner };
  }

  private flow(flow: FlowKey): number {
    const text = flowText(flow);
    const known = this.flowIndex.get(text);
    if (known !== undefined) return known;
    this.flowIndex.set(text, this.flows.length);
    return this.flows.push(flow) - 1;
  }
}
