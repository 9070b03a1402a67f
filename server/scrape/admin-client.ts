import { Client } from 'undici';
import { formatTargetAddress, type TargetAddress } from '../model/target.ts';
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

export interface AdminClientOptions {
  readonly address: TargetAddress;
  /** Time for a whole answer. */
  readonly timeoutMs: number;
  readonly bodyLimitBytes: number;
  readonly now: () => number;
}

/** Longer than any interval: the connection is kept between two scrapes. */
const KEEP_ALIVE_MS = 3_600_000;
/** Envoy's admin port compresses nothing and answers text unless asked for another form. */
const HEADERS = { accept: 'text/plain, application/json', 'user-agent': 'sidelight' };

/** Asks one Envoy's admin port, over one connection, one request at a time, GET only. */
export class AdminClient {
  private readonly options: AdminClientOptions;
  private readonly client: Client;
  private connection = 0;
  private busy = false;

  constructor(options: AdminClientOptions) {
    this.options = options;
    const { address, timeoutMs } = options;
    this.client = new Client(originOf(address), {
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxHeaderSize: 16_384,
      connect: { timeout: timeoutMs, ...(address.scheme === 'unix' ? { socketPath: address.path } : {}) },
    });
    this.client.on('connect', () => this.connection++);
  }

  /** @throws ScrapeError with the reason in plain words. */
  async get(path: string): Promise<AdminAnswer> {
    if (this.busy) throw new ScrapeError('the request before has not ended');
    this.busy = true;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.options.timeoutMs);
    try {
      return await this.request(path, abort);
    } catch (error) {
      throw transportError(error, { ...this.options, timedOut: abort.signal.aborted });
    } finally {
      clearTimeout(timer);
      this.busy = false;
    }
  }

  async close(): Promise<void> {
    await this.client.destroy();
  }

  private async request(path: string, abort: AbortController): Promise<AdminAnswer> {
    const { bodyLimitBytes, now } = this.options;
    const response = await this.client.request({ method: 'GET', path, headers: HEADERS, signal: abort.signal });
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
}

function originOf(address: TargetAddress): string {
  return address.scheme === 'unix'
    ? 'http://localhost'
    : `${address.scheme}://${formatTargetAddress({ ...address, scheme: 'http' })}`;
}
