/**
 * What a request tells the mesh to do, written into its URL. The front proxy's port understands, for example,
 * `/?status=404&delay=20&call=service_b:200:5&call=service_c:200:400`: A calls B, then C, then waits 20 ms and
 * answers 404. In a call, the fields are the service, its status and its delay; `:recovers` or `:exhausted` may follow.
 */

export type CalledService = 'service_b' | 'service_c';

/**
 * Sends a call to B over the route that retries once after a 503: the first try fails, and the second one
 * gives the planned status (`recovers`) or fails too (`exhausted`).
 */
export type Retry = 'recovers' | 'exhausted';

export interface PlannedCall {
  service: CalledService;
  /** Default 200. */
  status?: number;
  /** Milliseconds before the application answers; it may add its own slowness. Default 0. */
  delayMs?: number;
  retry?: Retry;
}

export interface PlannedRequest {
  /** Service A's own answer. Default: 502 when a call of it failed with a 5xx, else 200. */
  status?: number;
  delayMs?: number;
  /** Made one after the other. */
  calls?: readonly PlannedCall[];
}

/** The path and query of a planned request. */
export function requestPath({ status, delayMs, calls = [] }: PlannedRequest): string {
  const query = new URLSearchParams();
  if (status !== undefined) query.set('status', String(status));
  if (delayMs !== undefined) query.set('delay', String(delayMs));
  for (const call of calls) query.append('call', callText(call));
  return `/?${query}`;
}

const callText = ({ service, status = 200, delayMs = 0, retry }: PlannedCall) =>
  [service, status, delayMs, ...(retry === undefined ? [] : [retry])].join(':');

/** The reverse of `requestPath`. Throws an Error that names the wrong value. */
export function parseRequest(query: URLSearchParams): PlannedRequest {
  const status = query.get('status');
  return {
    ...(status === null ? {} : { status: parseStatus(status) }),
    delayMs: parseDelay(query.get('delay') ?? '0'),
    calls: query.getAll('call').map(parseCall),
  };
}

function parseCall(text: string): PlannedCall {
  const [service, status = '200', delay = '0', retry] = text.split(':');
  if (service !== 'service_b' && service !== 'service_c') throw new Error(`call=${text}: no service of that name`);
  if (retry !== undefined && retry !== 'recovers' && retry !== 'exhausted') {
    throw new Error(`call=${text}: the last field must be recovers or exhausted`);
  }
  const call: PlannedCall = { service, status: parseStatus(status), delayMs: parseDelay(delay) };
  return retry === undefined ? call : { ...call, retry };
}

function parseStatus(text: string): number {
  const status = Number(text);
  const hasBody = status !== 204 && status !== 304;
  if (Number.isInteger(status) && status >= 200 && status <= 599 && hasBody) return status;
  throw new Error(`status ${text}: must be 200 to 599, and one that allows a body`);
}

function parseDelay(text: string): number {
  const delayMs = Number(text);
  if (delayMs >= 0 && delayMs <= 10_000) return delayMs;
  throw new Error(`delay ${text}: must be 0 to 10000 milliseconds`);
}
