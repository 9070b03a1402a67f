/**
 * What a request tells the mesh to do. It travels with the request (HTTP: the query's `plan`; gRPC: the message), as
 * JSON such as `{"delayMs":20,"status":404,"calls":[{"to":"store","delayMs":5}]}`: make these calls one after the
 * other, wait 20 ms, answer 404.
 */
export interface Plan {
  /** Default: 502 when a call failed, else 200. Not for gRPC. */
  status?: number;
  /** For gRPC. Default: 14 (UNAVAILABLE) when a call failed, else 0. */
  grpcStatus?: number;
  /** Milliseconds before the application answers; it may add its own slowness. Default 0. */
  delayMs?: number;
  calls?: readonly PlannedCall[];
}

export interface PlannedCall extends Plan {
  /** The called service. */
  to: string;
  /** HTTP: the path, default `/`. gRPC: the method's name, default `Call`. */
  path?: string;
}

/** What came back from a call, as its caller saw it. */
export interface CallResult {
  to: string;
  /** 0 when no answer came at all. */
  status: number;
  /** Null for plain HTTP, and when no answer came. */
  grpcStatus: number | null;
  /** Milliseconds that the caller waited. */
  tookMs: number;
  /** Envoys that put their name on the answer, the caller's end first. */
  passed: string[];
  /** Null when an Envoy answered in the application's place. */
  answer: Answer | null;
  /** Why no answer came. */
  error?: string;
}

/** What an application says in its answer. */
export interface Answer {
  instance: string;
  /** Milliseconds from the request's arrival at the application to its answer. */
  delayMs: number;
  calls: CallResult[];
}

/** Throws an Error that says what is wrong. */
export function parsePlan(text: string): Plan {
  const plan: Plan = text === '' ? {} : JSON.parse(text);
  const { status = 200, delayMs = 0 } = plan;
  if (!(Number.isInteger(status) && status >= 200 && status <= 599 && status !== 204 && status !== 304)) {
    throw new Error(`status ${status}: must be 200 to 599, and one that allows a body`);
  }
  if (!(delayMs >= 0 && delayMs <= 10_000)) throw new Error(`delayMs ${delayMs}: must be 0 to 10000`);
  return plan;
}

export const isFailure = ({ status, grpcStatus }: CallResult): boolean =>
  status === 0 || status >= 500 || (grpcStatus ?? 0) !== 0;
