import { ClusterNames } from '../envoy/cluster-names.ts';
import type { StatsLayout } from '../envoy/stats.ts';
import type { FlowKey } from '../model/flow.ts';
import { connectionFlows } from './connection-plan.ts';
import type { NamingRules } from './naming-rules.ts';
import { type Plan, type PlanInput, reasonedPlan } from './plan.ts';

/** Most plans that are kept of one layout: a target that calls itself something else each time fills no memory. */
const MOST_OF_A_LAYOUT = 256;

/** A plan, and what those for zones and for connections need to know of the same answer. */
export interface Planned {
  readonly plan: Plan;
  readonly clusters: ClusterNames;
  readonly peerClusters: ReadonlySet<string>;
  /** Of clusters that carry bare connections. */
  readonly connectionFlows: ReadonlyMap<string, FlowKey>;
}

/** Lets targets of the same service that list the same names share one plan: working it out costs as much as many scrapes. */
export class PlanCache {
  private readonly rules: NamingRules;
  private readonly plans = new WeakMap<StatsLayout, Map<string, Planned>>();

  constructor(rules: NamingRules) {
    this.rules = rules;
  }

  planOf(input: Omit<PlanInput, 'rules'>): Planned {
    const { layout, managers, apart = new Map(), ...names } = input;
    const key = JSON.stringify([names, [...managers].sort(), [...apart]]);
    const ofLayout = this.plans.get(layout) ?? new Map<string, Planned>();
    this.plans.set(layout, ofLayout);
    const known = ofLayout.get(key);
    if (known) return known;
    const { rules } = this;
    const { plan, parts, bare, istio } = reasonedPlan({ ...input, rules });
    const clusters = new ClusterNames();
    for (const name of parts.clusters.keys()) clusters.add(name);
    const flows = connectionFlows({ bare: istio ? new Set() : bare, parts, rules, apart });
    const planned = { plan, clusters, peerClusters: parts.peerClusters, connectionFlows: flows };
    if (ofLayout.size >= MOST_OF_A_LAYOUT) ofLayout.clear();
    ofLayout.set(key, planned);
    return planned;
  }
}
