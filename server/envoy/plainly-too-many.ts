import type { StatsLayout } from './stats.ts';

/** Of clusters, copies by zone and by kind of request left out. */
const REQUESTS_OF_CLUSTER = /^cluster\.(?!.*\.(?:zone|internal|external|canary|retry)\.).*\.upstream_rq_[1-5]xx$/;

/**
 * How many stats will surely be used, where that is more than `limit`; 0 where it is not plain. Quick, so that an answer
 * that is far too much keeps no other target waiting.
 */
export function plainlyTooMany({ scalars }: StatsLayout, limit: number): number {
  if (scalars.length <= limit) return 0;
  let used = 0;
  for (const name of scalars) if (REQUESTS_OF_CLUSTER.test(name)) used++;
  return used > limit ? used : 0;
}
