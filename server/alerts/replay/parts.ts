import type { TierName, TierStatus } from '../../store/store.ts';

/** A stretch of the past that is kept in steps of one length. */
export interface Part {
  readonly tier: TierName;
  /** Unix milliseconds, `[from, to)`. */
  readonly from: number;
  readonly to: number;
  /** Time between two evaluations. */
  readonly stepMs: number;
  /** What is shorter can't be told apart. */
  readonly slotMs: number;
}

export interface PartsOptions {
  readonly from: number;
  readonly to: number;
  readonly tiers: readonly TierStatus[];
  /** How often rules are evaluated. */
  readonly intervalMs: number;
}

/** Tiers that do not know instances. */
export const WITHOUT_INSTANCES: readonly TierName[] = ['10m', '1h'];

/** The past in the finest steps that it is kept in, oldest first: each part begins and ends at whole steps of its own. */
export function partsOf({ from, to, tiers, intervalMs }: PartsOptions): Part[] {
  const parts: Part[] = [];
  let end = to;
  for (const [index, { name: tier, stepMs: slotMs, keptMs }] of tiers.entries()) {
    const coarser = tiers[index + 1]?.stepMs ?? slotMs;
    const isLast = index === tiers.length - 1;
    const kept = isLast ? from : Math.max(from, Math.ceil((to - keptMs) / coarser) * coarser);
    const stepMs = Math.ceil(intervalMs / slotMs) * slotMs;
    const first = Math.ceil(kept / stepMs) * stepMs;
    const last = Math.floor(end / stepMs) * stepMs;
    if (last <= first) continue;
    parts.unshift({ tier, from: first, to: last, stepMs, slotMs });
    end = first;
  }
  return parts;
}
