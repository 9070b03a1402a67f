/** How a figure differs from what it was some time before. Pure; what is not known on either side is no change. */

import { NBSP } from '../format/number.ts';
import type { ShownFigures } from '../listed-service.ts';
import { isCapped } from './capped.ts';

export interface Change {
  /** Now over before, less one: 0.12 is 12 % more. */
  readonly ratio: number;
  readonly now: number;
  readonly before: number;
}

/** Null where either is not known, or where it was 0 and no share of it can be told. */
export function changeOf(now: number | null | undefined, before: number | null | undefined): Change | null {
  if (typeof now !== 'number' || typeof before !== 'number' || before <= 0) return null;
  return { ratio: now / before - 1, now, before };
}

export interface Changes {
  readonly rate: Change | null;
  readonly p99: Change | null;
}

type Compared = Pick<ShownFigures, 'requestRate' | 'latencyMs' | 'state' | 'latencySamples' | 'timeouts' | 'precision'>;

/** A percentile of too little data, or one that is only a lower bound, is compared with nothing. */
export function changesOf(now: Compared, before: Compared | null): Changes {
  return {
    rate: changeOf(now.requestRate, before?.requestRate),
    p99: changeOf(soundP99(now), before && soundP99(before)),
  };
}

function soundP99(figures: Compared): number | null {
  return figures.state === 'ok' && !isCapped('p99', figures) ? figures.latencyMs.p99 : null;
}

/** Why there is no change to tell; empty where there is one. */
export function noChangeInWords(kind: 'rate' | 'p99', now: Compared, before: Compared | null, ago: string): string {
  if (changesOf(now, before)[kind] !== null) return '';
  if (!before) return `It was not known ${ago}.`;
  if (kind === 'rate') {
    if (now.requestRate === null) return 'The rate is not known now.';
    return before.requestRate === 0 ? `It had no traffic ${ago}.` : `Nothing was measured ${ago}.`;
  }
  if (isCapped('p99', now) || isCapped('p99', before))
    return 'p99 falls among timed-out requests, so it is only a lower bound.';
  if (soundP99(now) === null) return 'There are too few samples now.';
  return `There were too few samples ${ago}.`;
}

/** From which size on a multiple reads better than a percentage. */
const MULTIPLE_FROM = 9.95;

/** `▲ +12 %`, `▼ −8 %`, `▲ × 14`, `= 0 %`: the sign is told by a shape too. */
export function changeText({ ratio }: Pick<Change, 'ratio'>): string {
  const percent = Math.round(ratio * 100);
  if (percent === 0) return `=${NBSP}0${NBSP}%`;
  if (ratio >= MULTIPLE_FROM - 1) return `▲${NBSP}×${NBSP}${Math.round(ratio + 1)}`;
  return percent > 0 ? `▲${NBSP}+${percent}${NBSP}%` : `▼${NBSP}−${-percent}${NBSP}%`;
}
