import { Agent, get, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Milliseconds from before the request was sent until the last byte of the answer was here. */
  tookMs: number;
}

/** Connections are kept and reused; nothing is ever retried. */
export const keepAliveAgent = (): Agent => new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

/** One GET. Rejects only when no complete answer came; every status is an answer. */
export function httpGet(url: string, agent: Agent, headers: OutgoingHttpHeaders = {}): Promise<HttpAnswer> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, headers }, (response) => {
      const parts: string[] = [];
      response.setEncoding('utf8');
      response.on('data', (part: string) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: parts.join(''), tookMs: performance.now() - started });
      });
    });
    request.on('error', reject);
  });
}
