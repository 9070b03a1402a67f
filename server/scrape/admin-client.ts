import type { TargetAddress } from '../model/target.ts';
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

export interface AdminClientOptions {
  readonly address: TargetAddress;
  /** Time for a whole answer. */
  readonly timeoutMs: number;
  readonly bodyLimitBytes: number;
  readonly now: () => number;
}

/** Envoy's admin port compresses nothing and answers text unless asked for another form. */
const HEADERS = { accept: 'text/plain, application/json', 'user-agent': 'sidelight' };

/** Asks one Envoy's admin port, over one connection, one request at a time, GET only. */
export class AdminClient {
  private readonly options: AdminClientOptions;
  private readonly http: HttpConnection;
  private busy = false;

  constructor(options: AdminClientOptions) {
    this.options = options;
    this.http = new HttpConnection(options);
  }

  /** @throws ScrapeError with the reason in plain words. */
  async get(path: string): Promise<AdminAnswer> {
    if (this.busy) throw new ScrapeError('the request before has not ended');
    this.busy = true;
    let at = 0;
    let connection = 0;
    try {
      const response = await this.http.get(path, HEADERS, () => {
        at = this.options.now();
        connection = this.http.opened;
      });
      const { status, contentType, body } = response;
      return { status, contentType, body, at, connection, release: () => response.release() };
    } catch (error) {
      throw transportError(error, { ...this.options, timedOut: false });
    } finally {
      this.busy = false;
    }
  }

  async close(): Promise<void> {
    this.http.close();
  }
}
