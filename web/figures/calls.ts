/** Calls between two services, judged and told as the topology and the service's page do. Pure. */

import type { Figures } from '../../server/api/contract.ts';
import { count, share, text } from '../format/number.ts';
import { DEGRADED, FAILING, FEW_FAILURES, failedRequests, type Health } from './health.ts';

type Judged = Pick<Figures, 'requests' | 'errorRate'>;

/** How calls go, by the share that fails. */
export function judgeCalls({ requests, errorRate }: Judged): Health {
  if (requests === 0) return 'quiet';
  if (requests === null || errorRate === null) return 'unknown';
  if (errorRate >= FAILING && failedRequests({ requests, errorRate }) >= FEW_FAILURES) return 'bad';
  return errorRate >= DEGRADED ? 'warn' : 'good';
}

/** What is amiss with calls: `21.9 % failing, 871 timed out, 91 retried`; empty where nothing is. */
export function callsRemark(calls: Judged & Pick<Figures, 'timeouts' | 'retries'>): string {
  const failing = calls.errorRate ?? 0;
  return [
    failing >= DEGRADED ? `${text(share(failing))} failing` : '',
    calls.timeouts > 0 ? `${count(calls.timeouts)} timed out` : '',
    calls.retries > 0 ? `${count(calls.retries)} retried` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

export const WORST_FIRST: readonly Health[] = ['bad', 'warn', 'unknown', 'good', 'quiet'];

/** Failing ones before degraded ones before others; among those as they were. */
export function worstCallsFirst<Calls extends Judged>(calls: readonly Calls[]): Calls[] {
  const place = (one: Calls) => WORST_FIRST.indexOf(judgeCalls(one));
  return calls.toSorted((a, b) => place(a) - place(b));
}
