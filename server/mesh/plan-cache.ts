import type { StatsLayout } from '../envoy/stats.ts';
import type { NamingRules } from './naming-rules.ts';
import { compilePlan, type Plan, type PlanInput } from './plan.ts';
import { shapeOf, type Totals } from './totals.ts';

/** Most plans that are kept of one layout: a target that calls itself something else each time fills no memory. */
const MOST_OF_A_LAYOUT = 256;

/** Lets targets of the same service that list the same names share one plan: working it out costs as much as many scrapes. */
export class PlanCache {
  private readonly rules: NamingRules;
  private readonly plans = new WeakMap<StatsLayout, Map<string, Plan>>();
  private readonly shapes = new WeakMap<Plan, string>();

  constructor(rules: NamingRules) {
    this.rules = rules;
  }

  planOf(input: Omit<PlanInput, 'rules'>): Plan {
    const { layout, managers, ...names } = input;
    const key = JSON.stringify([names, [...managers].sort()]);
    const ofLayout = this.plans.get(layout) ?? new Map<string, Plan>();
    this.plans.set(layout, ofLayout);
    const known = ofLayout.get(key);
    if (known) return known;
    const plan = compilePlan({ ...input, rules: this.rules });
    if (ofLayout.size >= MOST_OF_A_LAYOUT) ofLayout.clear();
    ofLayout.set(key, plan);
    return plan;
  }

  /** The shape of totals under a plan, shared where they are of the plan's flows only. */
  shapeOf(plan: Plan, totals: Totals): string {
    const known = this.shapes.get(plan);
    const sharing = totals.flows.length === plan.flows.length;
    if (known !== undefined && sharing) return known;
    const shape = shapeOf(totals);
    if (sharing) this.shapes.set(plan, shape);
    return shape;
  }
}
