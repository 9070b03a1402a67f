/** One request to a receiver, and what its answer asks for. */

import { Pool } from 'undici';
import type { RemoteWriteConfig } from '../../config/remote-write-config.ts';
import { connectorOf } from '../../reach/connect.ts';
import { authorization, SecretFiles } from '../../reach/credentials.ts';

export type Outcome =
  | { readonly kind: 'taken' }
  /** Not taken, and to be tried again; not before `afterMs`, where the receiver asked for that. */
  | { readonly kind: 'failed'; readonly reason: string; readonly afterMs: number }
  /** Will never be taken. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface ReceiverOptions {
  readonly config: Pick<RemoteWriteConfig, 'url' | 'headers' | 'auth' | 'tls' | 'timeoutMs' | 'maxShards'>;
  readonly userAgent: string;
  readonly now: () => number;
}

const CONNECT_MS = 10_000;
/** How much of an answer is looked at, and told. */
const READ_BYTES = 4096;
const TOLD_CHARACTERS = 200;
const LONGEST_RETRY_AFTER_MS = 5 * 60_000;

export class Receiver {
  private readonly options: ReceiverOptions;
  private readonly pool: Pool;
  private readonly path: string;
  private readonly secrets: SecretFiles;

  constructor(options: ReceiverOptions) {
    const { url, tls, timeoutMs, maxShards } = options.config;
    const { origin, pathname, search } = new URL(url);
    this.options = options;
    this.path = pathname + search;
    this.secrets = new SecretFiles(options.now);
    const connect = connectorOf({ timeoutMs: Math.min(CONNECT_MS, timeoutMs), tls, allowLinkLocal: true });
    this.pool = new Pool(origin, { connect, connections: maxShards, headersTimeout: 0, bodyTimeout: 0 });
  }

  /** Redirects are not followed. Does not reject. @param body a WriteRequest, packed by snappy in its block form. */
  async send(body: Uint8Array, stop: AbortSignal): Promise<Outcome> {
    const late = AbortSignal.timeout(this.options.config.timeoutMs);
    try {
      return await this.ask(body, AbortSignal.any([stop, late]));
    } catch (error) {
      const { timeoutMs } = this.options.config;
      return {
        kind: 'failed',
        reason: late.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(error),
        afterMs: 0,
      };
    }
  }

  close(): Promise<void> {
    return this.pool.destroy();
  }

  private async ask(body: Uint8Array, signal: AbortSignal): Promise<Outcome> {
    const { config, userAgent } = this.options;
    const authorized = await authorization(config.auth, this.secrets);
    const headers = {
      ...config.headers,
      ...(authorized === undefined ? {} : { authorization: authorized }),
      'content-encoding': 'snappy',
      'content-type': 'application/x-protobuf',
      'user-agent': userAgent,
      'x-prometheus-remote-write-version': '0.1.0',
    };
    const response = await this.pool.request({ method: 'POST', path: this.path, headers, body, signal });
    response.body.on('error', () => {});
    const { statusCode } = response;
    if (statusCode >= 200 && statusCode < 300) {
      await response.body.dump({ limit: READ_BYTES, signal });
      return { kind: 'taken' };
    }
    const said = await firstLine(response.body).catch(() => '');
    return this.judged(statusCode, said, response.headers['retry-after']);
  }

  private judged(status: number, said: string, retryAfter: string | string[] | undefined): Outcome {
    const isRedirect = status >= 300 && status < 400;
    if (isRedirect) {
      const reason = `it answered ${status}; redirects are not followed: write the address that it leads to`;
      return { kind: 'failed', reason, afterMs: 0 };
    }
    const reason = `it answered ${status}${said === '' ? '' : `: ${said}`}`;
    if (status >= 400 && status < 500 && status !== 429) return { kind: 'refused', reason };
    return { kind: 'failed', reason, afterMs: retryAfterMs(String(retryAfter ?? ''), this.options.now()) };
  }
}

/** Seconds or a date (RFC 9110, section 10.2.3), five minutes at most; 0 where it is neither. */
export function retryAfterMs(header: string, now: number): number {
  const wanted = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return wanted > 0 ? Math.min(wanted, LONGEST_RETRY_AFTER_MS) : 0;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [inner] = error instanceof AggregateError ? error.errors : [error];
  const { message, name, code } = inner as Error & { code?: string };
  const text = message === '' ? (code ?? name) : message;
  return (text.split('\n')[0] ?? '').slice(0, TOLD_CHARACTERS);
}

/** Of an answer; the rest is not read. */
async function firstLine(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= READ_BYTES) break;
  }
  const [line = ''] = Buffer.concat(pieces)
    .toString('utf8')
    .trim()
    .split(/[\r\n]/);
  return line.replaceAll(/\p{Cc}/gu, ' ').slice(0, TOLD_CHARACTERS);
}
