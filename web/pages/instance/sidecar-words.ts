/** What a sidecar's times mean, in words. Pure. */

import type { TargetStatus } from '../../../server/api/contract.ts';
import { milliseconds, text } from '../../format/number.ts';
import { dateTime, span, spanInWords } from '../../format/time.ts';

const DAY = 86_400_000;
/** From so many days before its end on a certificate wants attention. */
const SOON_DAYS = 14;

export interface Told {
  readonly words: string;
  readonly health: 'good' | 'warn' | 'bad';
}

/** `5 d, since 16 Nov 14:03:15`. */
export function uptimeInWords({ startedAt, health }: TargetStatus, now: number): string {
  if (startedAt === null) return 'not known';
  const since = `since ${dateTime(startedAt)}`;
  return health === 'up' ? `${span(now - startedAt)}, ${since}` : `${since}, as last told`;
}

/** Starts after the first one that the collector saw. */
export function restartsInWords({ restarts }: TargetStatus): Told {
  const last = restarts.at(-1);
  if (last === undefined) return { words: 'none seen since the collector knows it', health: 'good' };
  return { words: `${restarts.length} seen, the last at ${dateTime(last)}`, health: 'warn' };
}

/** How often it is asked, and what share of the time that takes. */
export function intervalInWords({ intervalMs, scrapeDurationMs }: TargetStatus): string {
  if (intervalMs === null) return 'not known yet';
  const every = spanInWords(intervalMs);
  if (scrapeDurationMs === null) return `every ${every}`;
  return `every ${every}, of which ${text(milliseconds(scrapeDurationMs))} is the answering`;
}

/** When the first of its certificates runs out. */
export function certificateInWords({ certificateExpiry }: TargetStatus, now: number): Told {
  if (certificateExpiry === null) return { words: 'none told of', health: 'good' };
  const left = certificateExpiry - now;
  if (left <= 0) return { words: `ran out ${dateTime(certificateExpiry)}`, health: 'bad' };
  const words = `the first runs out in ${span(left)}, ${dateTime(certificateExpiry)}`;
  return { words, health: left < SOON_DAYS * DAY ? 'warn' : 'good' };
}
