import type { LookupFunction } from 'node:net';
import { Client } from 'undici';
import type { Reach } from '../model/reach.ts';
import { formatTargetAddress, type TargetAddress } from '../model/target.ts';
import { connectorOf } from '../reach/connect.ts';
import { authorization, SecretFiles } from '../reach/credentials.ts';
import { ScrapeError, transportError } from './scrape-error.ts';

export interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  /** When the answer began, Unix milliseconds. */
  readonly at: number;
  /** Number of the connection that it came over; a new one may lead to another process. */
  readonly connection: number;
}

export interface AdminLimits {
  /** Time for a whole answer. */
  readonly timeoutMs: number;
  readonly bodyLimitBytes: number;
}

export interface AdminClientOptions extends AdminLimits {
  readonly address: TargetAddress;
  readonly now: () => number;
  readonly reach?: Reach | undefined;
  /** Shared by those that need the same secrets. */
  readonly secrets?: SecretFiles;
  /** Resolves names; by default the system's, with link-local addresses refused. */
  readonly lookup?: LookupFunction;
}

/** Longer than any interval: the connection is kept between two scrapes. */
const KEEP_ALIVE_MS = 3_600_000;
/** Envoy's admin port compresses nothing and answers text unless asked for another form. */
const HEADERS = { accept: 'text/plain, application/json', 'user-agent': 'sidelight' };

/** Asks one Envoy's admin port, over one connection, one request at a time, GET only. */
export class AdminClient {
  private readonly options: AdminClientOptions;
  private readonly secrets: SecretFiles;
  private readonly client: Client;
  /** Part of the path that comes before every path that is asked for. */
  private readonly prefix: string;
  private limits: AdminLimits;
  private connection = 0;
  private busy = false;

  constructor(options: AdminClientOptions) {
    this.options = options;
    this.limits = options;
    this.secrets = options.secrets ?? new SecretFiles(options.now);
    const { address, timeoutMs, reach, lookup } = options;
    const { origin, pathname } = new URL(reach?.via ?? originOf(address));
    this.prefix = pathname.replace(/\/$/, '');
    this.client = new Client(origin, {
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 16_384,
      connect: connectorOf({
        timeoutMs,
        tls: reach?.tls,
        socketPath: address.scheme === 'unix' && reach?.via === undefined ? address.path : undefined,
        allowLinkLocal: reach?.allowLinkLocal ?? false,
        ...(lookup && { lookup }),
      }),
    });
    this.client.on('connect', () => this.connection++);
  }

  /** Counts from the next request on. */
  limit(limits: AdminLimits): void {
    this.limits = limits;
  }

  /** @throws ScrapeError with the reason in plain words. */
  async get(path: string): Promise<AdminAnswer> {
    if (this.busy) throw new ScrapeError('the request before has not ended');
    this.busy = true;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.limits.timeoutMs);
    try {
      return await this.request(path, abort);
    } catch (error) {
      throw transportError(error, {
        address: this.options.address,
        timeoutMs: this.limits.timeoutMs,
        timedOut: abort.signal.aborted,
      });
    } finally {
      clearTimeout(timer);
      this.busy = false;
    }
  }

  async close(): Promise<void> {
    await this.client.destroy();
  }

  private async request(path: string, abort: AbortController): Promise<AdminAnswer> {
    const { now } = this.options;
    const { bodyLimitBytes } = this.limits;
    const headers = await this.headers();
    const response = await this.client.request({
      method: 'GET',
      path: this.prefix + path,
      headers,
      signal: abort.signal,
    });
    const at = now();
    const connection = this.connection;
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > bodyLimitBytes) {
        response.body.destroy();
        throw new ScrapeError(
          `the answer is larger than scrape.body_limit (${bodyLimitBytes} bytes): raise it, or let Envoy show less (stats_matcher)`,
        );
      }
    }
    const contentType = response.headers['content-type'];
    return {
      status: response.statusCode,
      contentType: typeof contentType === 'string' ? contentType : '',
      body: Buffer.concat(chunks, size),
      at,
      connection,
    };
  }

  private async headers(): Promise<Record<string, string>> {
    const { reach } = this.options;
    if (reach === undefined) return HEADERS;
    const authorized = await authorization(reach.auth, this.secrets);
    const more = await reach.headers?.();
    return { ...HEADERS, ...(authorized === undefined ? {} : { authorization: authorized }), ...more };
  }
}

function originOf(address: TargetAddress): string {
  return address.scheme === 'unix'
    ? 'http://localhost'
    : `${address.scheme}://${formatTargetAddress({ ...address, scheme: 'http' })}`;
}
