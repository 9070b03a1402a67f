/** In what steps the past that an answer rests on is kept. Pure. */

import type { TierName } from '../../server/api/contract.ts';

const STEPS: Readonly<Record<Exclude<TierName, 'raw'>, string>> = {
  '1m': '1 minute',
  '10m': '10 minutes',
  '1h': '1 hour',
};

/** Such as `kept in steps of 1 minute`; empty where nothing was found. */
export function tiersInWords(tiers: readonly TierName[]): string {
  const raw = tiers.includes('raw') ? ['scrape by scrape'] : [];
  const steps = tiers.flatMap((tier) => (tier === 'raw' ? [] : [STEPS[tier]]));
  const parts = [...raw, ...(steps.length === 0 ? [] : [`in steps of ${steps.join(' and ')}`])];
  return parts.length === 0 ? '' : `kept ${parts.join(', then ')}`;
}

/** How long ago, in words: `1 day ago`. */
export const AGO: Readonly<Record<string, string>> = { '1h': '1 hour ago', '1d': '1 day ago', '1w': '1 week ago' };
