export type CodeClass = '2xx' | '3xx' | '4xx' | '5xx';

export const codeClasses: readonly CodeClass[] = ['2xx', '3xx', '4xx', '5xx'];

/** The exact truth about one hop: the requests that arrived at an instance, or those of a service to another one. */
export interface Hop {
  /** Completed requests. A retried request is one of the caller's, and as many as it had tries of the called. */
  requests: number;
  byClass: Record<CodeClass, number>;
  /** Requests with a gRPC status other than 0 under an HTTP status below 500. */
  grpcFailures: number;
  /** Requests that the sidecar of the hop itself gave up waiting for. */
  timeouts: number;
  /** Tries after the first, for what a service sent. */
  retries: number;
  /**
   * For every request, the milliseconds that the application took (the timeout, where it was too late; 0 where it was
   * never reached): what Envoy measures is never less, but for the part of a millisecond that it cuts off.
   */
  delaysMs: number[];
  /** For every request, in the same order, the milliseconds that the caller waited: Envoy never measures more. */
  observedMs: number[];
}

export interface Completed {
  status: number;
  /** Null where the request was no gRPC. */
  grpcStatus?: number | null;
  delayMs: number;
  observedMs: number;
}

/** Hops by key, each made when it is first asked for. */
export class Hops {
  readonly #hops = new Map<string, Hop>();

  /** Keys are told apart part by part: `a`, `b` is another hop than `a b`. */
  get(...key: string[]): Hop {
    const text = JSON.stringify(key);
    const known = this.#hops.get(text);
    if (known !== undefined) return known;
    const hop = emptyHop();
    this.#hops.set(text, hop);
    return hop;
  }
}

const emptyHop = (): Hop => ({
  requests: 0,
  byClass: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
  grpcFailures: 0,
  timeouts: 0,
  retries: 0,
  delaysMs: [],
  observedMs: [],
});

export function addToHop(hop: Hop, { status, grpcStatus, delayMs, observedMs }: Completed): void {
  hop.requests += 1;
  hop.byClass[classOf(status)] += 1;
  if (status < 500 && (grpcStatus ?? 0) !== 0) hop.grpcFailures += 1;
  hop.delaysMs.push(delayMs);
  hop.observedMs.push(observedMs);
}

export function sumOfHops(hops: readonly Hop[]): Hop {
  const sum = emptyHop();
  for (const hop of hops) {
    for (const name of codeClasses) sum.byClass[name] += hop.byClass[name];
    for (const name of ['requests', 'grpcFailures', 'timeouts', 'retries'] as const) sum[name] += hop[name];
    sum.delaysMs.push(...hop.delaysMs);
    sum.observedMs.push(...hop.observedMs);
  }
  return sum;
}

function classOf(status: number): CodeClass {
  if (status >= 500) return '5xx';
  if (status >= 400) return '4xx';
  return status >= 300 ? '3xx' : '2xx';
}
