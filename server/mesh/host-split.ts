/**
 * Shares out what a cluster counted among those who answered, by the counters of its hosts. What is shared out is proven;
 * all else stays with the cluster, so that the sum is always what the cluster counted.
 */

import { CODE_CLASSES, COUNTER_INDEX, COUNTERS, failureCount, requestCount } from '../model/flow.ts';

/** Tries that a party's hosts answered and that have not been shared out yet. */
export interface Answered {
  readonly success: number;
  readonly error: number;
}

export interface Split {
  /** One entry per party, in the order given. */
  readonly shares: readonly Float64Array[];
  readonly rest: Float64Array;
  /** What each party answered beyond what the cluster has counted so far. */
  readonly left: readonly Answered[];
  /** Whether classes of shares are unknown: then classes of the rest are, too. */
  readonly unclassed: boolean;
}

const OK_CLASSES = ['2xx', '3xx', '4xx'] as const;

/** Splits the counters of a cluster. Requests and failures of each party are exact, classes known where they can be proven. */
export function splitByHosts(counted: Float64Array, parties: readonly Answered[]): Split {
  const sole = soleParty(counted, parties);
  if (sole !== undefined) return wholeTo(sole, counted, parties);
  const kinds = kindsOf(counted);
  const failed = shareFailures(kinds, counted, parties);
  const answered = shareAnswered(kinds, failed, parties);
  const shares = parties.map((_, i) => newShare(kinds, answered.ok[i] ?? 0, failed.shares[i] ?? 0));
  for (const [i, count] of answered.hidden.entries()) addTo(shares[i], { '2xx': count, grpc_failed: count });
  return {
    shares,
    ...restOf(counted, shares),
    left: parties.map((party, i) => leftOf(party, i, { failed, answered })),
  };
}

/** The one party that answered at all, if it answered everything. */
function soleParty(counted: Float64Array, parties: readonly Answered[]): number | undefined {
  const active = parties.flatMap(({ success, error }, i) => (success + error > 0 ? [i] : []));
  const [only, ...others] = active;
  if (only === undefined || others.length > 0) return undefined;
  const { success, error } = parties[only] ?? { success: 0, error: 0 };
  return success + error >= requestCount(counted) ? only : undefined;
}

function wholeTo(sole: number, counted: Float64Array, parties: readonly Answered[]): Split {
  const failures = failureCount(counted);
  const left = parties.map(({ success, error }, i) => {
    if (i !== sole) return { success: 0, error: 0 };
    const errors = Math.min(error, failures);
    const others = requestCount(counted) - errors;
    const retried = counted[COUNTER_INDEX.retries] ?? 0;
    return { success: Math.max(0, success - others), error: Math.max(0, error - errors - retried) };
  });
  const none = () => new Float64Array(COUNTERS.length);
  return {
    shares: parties.map((_, i) => (i === sole ? counted.slice() : none())),
    rest: none(),
    left,
    unclassed: false,
  };
}

/** What the cluster counted, by kind: answers of each class that did not fail, 5xx, and gRPC failures under 2xx. */
interface Kinds {
  readonly ok: Readonly<Record<(typeof OK_CLASSES)[number], number>>;
  readonly okTotal: number;
  readonly serverErrors: number;
  readonly grpc: number;
}

function kindsOf(counted: Float64Array): Kinds {
  const of = (name: (typeof COUNTERS)[number]) => counted[COUNTER_INDEX[name]] ?? 0;
  const grpc = Math.min(of('grpc_failed'), of('2xx'));
  const ok = { '2xx': of('2xx') - grpc, '3xx': of('3xx'), '4xx': of('4xx') };
  return { ok, okTotal: ok['2xx'] + ok['3xx'] + ok['4xx'], serverErrors: of('5xx'), grpc };
}

interface FailureShares {
  readonly shares: readonly number[];
  readonly retried: number;
  /** Failures that no host's errors explain. */
  readonly unexplained: number;
}

/** A retried try is an error of its host and no failure: any of them may have been. */
function shareFailures(
  { serverErrors, grpc }: Kinds,
  counted: Float64Array,
  parties: readonly Answered[],
): FailureShares {
  const retried = counted[COUNTER_INDEX.retries] ?? 0;
  const failures = serverErrors + grpc;
  const shares = apportion(
    failures,
    parties.map(({ error }) => Math.max(0, error - retried)),
  );
  return { shares, retried, unexplained: failures - sum(shares) };
}

interface AnsweredShares {
  readonly ok: readonly number[];
  /** gRPC failures with a status that stands for a 4xx: hosts count them as successes. */
  readonly hidden: readonly number[];
  readonly hiddenTotal: number;
}

function shareAnswered(
  { okTotal, grpc }: Kinds,
  { unexplained }: FailureShares,
  parties: readonly Answered[],
): AnsweredShares {
  const successes = parties.map(({ success }) => success);
  const hiddenTotal = Math.max(0, Math.min(unexplained, grpc, sum(successes) - okTotal));
  const active = successes.filter((success) => success > 0).length;
  const isTold = active === 1 && hiddenTotal > 0;
  const hidden = successes.map((success) => (isTold && success > 0 ? hiddenTotal : 0));
  return {
    ok: apportion(
      okTotal,
      successes.map((success, i) => success - (hidden[i] ?? 0)),
    ),
    hidden,
    hiddenTotal,
  };
}

/** A party's classes as far as they can be proven: all but as many as others may have had. */
function newShare(kinds: Kinds, ok: number, failed: number): Float64Array {
  const share = new Float64Array(COUNTERS.length);
  let known = 0;
  for (const name of OK_CLASSES) {
    const proven = Math.max(0, ok - (kinds.okTotal - kinds.ok[name]));
    known += proven;
    addTo(share, { [name]: proven });
  }
  const serverErrors = Math.max(0, failed - kinds.grpc);
  const grpc = Math.max(0, failed - kinds.serverErrors);
  const unknown = failed - serverErrors - grpc;
  addTo(share, { '5xx': serverErrors, '2xx': grpc, grpc_failed: grpc });
  addTo(share, { unclassed: ok - known + unknown, unclassed_failed: unknown });
  return share;
}

/** What is left of each counter; requests whose class a share does not know leave the rest without classes, too. */
function restOf(counted: Float64Array, shares: readonly Float64Array[]): Pick<Split, 'rest' | 'unclassed'> {
  const rest = counted.slice();
  for (const share of shares) for (let i = 0; i < rest.length; i++) rest[i] = (rest[i] ?? 0) - (share[i] ?? 0);
  const unclassed = shares.some((share) => (share[COUNTER_INDEX.unclassed] ?? 0) > 0);
  if (!unclassed) return { rest, unclassed };
  const [requests, failures] = [requestCount(rest), failureCount(rest)];
  for (const name of [...CODE_CLASSES, 'grpc_failed'] as const) rest[COUNTER_INDEX[name]] = 0;
  rest[COUNTER_INDEX.unclassed] = requests;
  rest[COUNTER_INDEX.unclassed_failed] = failures;
  return { rest, unclassed };
}

interface Shares {
  readonly failed: FailureShares;
  readonly answered: AnsweredShares;
}

/** Successes and errors that are ahead of the cluster's counters, which were read a moment before. */
function leftOf({ success, error }: Answered, i: number, { failed, answered }: Shares): Answered {
  return {
    success: answered.hiddenTotal > 0 ? 0 : Math.max(0, success - (answered.ok[i] ?? 0)),
    error: failed.retried > 0 ? 0 : Math.max(0, error - (failed.shares[i] ?? 0)),
  };
}

/** Whole parts of at most `total`, none above what is claimed; where more is claimed, each gets its share of it. */
export function apportion(total: number, claims: readonly number[]): number[] {
  const claimed = sum(claims);
  if (claimed <= total) return [...claims];
  let before = 0;
  return claims.map((claim) => {
    const from = Math.round((total * before) / claimed);
    before += claim;
    return Math.round((total * before) / claimed) - from;
  });
}

function addTo(
  share: Float64Array | undefined,
  counts: Readonly<Partial<Record<(typeof COUNTERS)[number], number>>>,
): void {
  if (!share) return;
  for (const [name, count] of Object.entries(counts)) {
    const index = COUNTER_INDEX[name as (typeof COUNTERS)[number]];
    share[index] = (share[index] ?? 0) + count;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
