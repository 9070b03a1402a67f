import type { LookupFunction } from 'node:net';
import type { Reach } from '../model/reach.ts';
import { formatTargetAddress, type TargetAddress } from '../model/target.ts';
import { socketOptions } from '../reach/connect.ts';
import { authorization, SecretFiles } from '../reach/credentials.ts';
import { HttpConnection } from './http-connection.ts';
import { ScrapeError, transportError } from './scrape-error.ts';

export interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  /** When the answer began, Unix milliseconds. */
  readonly at: number;
  /** Number of the connection that it came over; a new one may lead to another process. */
  readonly connection: number;
  /** Gives the body's memory back for other answers: whoever calls it reads the body no more. Not a duty. */
  release?(): void;
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

/** Envoy's admin port compresses nothing and answers text unless asked for another form. */
const HEADERS = { accept: 'text/plain, application/json', 'user-agent': 'sidelight' };

/** Asks one Envoy's admin port, over one connection, one request at a time, GET only. */
export class AdminClient {
  private readonly options: AdminClientOptions;
  private readonly secrets: SecretFiles;
  private readonly http: HttpConnection;
  /** Part of the path that comes before every path that is asked for. */
  private readonly prefix: string;
  private limits: AdminLimits;
  private busy = false;

  constructor(options: AdminClientOptions) {
    this.options = options;
    this.limits = options;
    this.secrets = options.secrets ?? new SecretFiles(options.now);
    const { address, reach, lookup } = options;
    const base = new URL(reach?.via ?? originOf(address));
    this.prefix = base.pathname.replace(/\/$/, '');
    this.http = new HttpConnection({
      host: base.host,
      dial: () =>
        socketOptions(base, {
          tls: reach?.tls,
          socketPath: address.scheme === 'unix' && reach?.via === undefined ? address.path : undefined,
          allowLinkLocal: reach?.allowLinkLocal ?? false,
          ...(lookup && { lookup }),
        }),
    });
  }

  /** Counts from the next request on. */
  limit(limits: AdminLimits): void {
    this.limits = limits;
  }

  /** @throws ScrapeError with the reason in plain words. */
  async get(path: string): Promise<AdminAnswer> {
    if (this.busy) throw new ScrapeError('the request before has not ended');
    this.busy = true;
    const { timeoutMs, bodyLimitBytes } = this.limits;
    let at = 0;
    let connection = 0;
    const onHead = () => {
      at = this.options.now();
      connection = this.http.opened;
    };
    try {
      const headers = await this.headers();
      const response = await this.http.get(this.prefix + path, { headers, timeoutMs, bodyLimitBytes, onHead });
      const { status, contentType, body } = response;
      return { status, contentType, body, at, connection, release: () => response.release() };
    } catch (error) {
      throw transportError(error, { address: this.options.address, timeoutMs, bodyLimitBytes, timedOut: false });
    } finally {
      this.busy = false;
    }
  }

  async close(): Promise<void> {
    this.http.close();
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
