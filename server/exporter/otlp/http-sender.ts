import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Agent, type Dispatcher, errors, request } from 'undici';
import { connectorOf } from '../../reach/connect.ts';
import { type Outcome, oneLine, outcomeOf, type Sender } from './outcome.ts';
import type { RequestHeaders } from './request-headers.ts';
import type { OtlpSettings } from './settings.ts';

/** Most of an answer that is read. */
const MOST_BYTES = 65_536;
/** https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const packed = promisify(gzip);

export interface HttpSenderOptions {
  readonly settings: Pick<OtlpSettings, 'url' | 'timeoutMs' | 'compression' | 'tls'>;
  readonly headers: RequestHeaders;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** OTLP/HTTP with protobuf. Redirects are not followed. */
export class HttpSender implements Sender {
  private readonly options: HttpSenderOptions;
  private readonly agent: Agent;

  constructor(options: HttpSenderOptions) {
    const { tls, timeoutMs } = options.settings;
    this.options = options;
    this.agent = new Agent({ connect: connectorOf({ tls, timeoutMs, allowLinkLocal: true }), connections: 1 });
  }

  async send(body: Uint8Array, signal: AbortSignal): Promise<Outcome> {
    const { timeoutMs } = this.options.settings;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await this.post(body, AbortSignal.any([signal, timeout]));
      const answer = await beginningOf(response);
      return this.judge(response, answer);
    } catch (error) {
      return { kind: 'retry', reason: timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(error) };
    }
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private async post(body: Uint8Array, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { settings, headers } = this.options;
    const isPacked = settings.compression === 'gzip';
    return request(settings.url, {
      method: 'POST',
      dispatcher: this.agent,
      signal,
      headers: {
        ...(await headers()),
        'content-type': 'application/x-protobuf',
        ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
      },
      body: isPacked ? await packed(body) : body,
    });
  }

  private judge({ statusCode, headers }: Dispatcher.ResponseData, answer: Uint8Array): Outcome {
    const type = String(headers['content-type'] ?? '');
    if (statusCode >= 200 && statusCode < 300)
      return type.startsWith('text/html') ? NO_RECEIVER : outcomeOf(type.includes('json') ? EMPTY : answer);
    const said = type.startsWith('text/html') ? '' : oneLine(textOf(type, answer));
    const reason = `it answered ${statusCode}${said === '' ? '' : `: ${said}`}`;
    if (RETRYABLE.has(statusCode))
      return { kind: 'retry', reason, ...retryAfter(headers['retry-after'], this.options.now()) };
    if (statusCode >= 300 && statusCode < 400)
      return {
        kind: 'refused',
        reason: `it answered ${statusCode} (redirects are not followed: write the address that it leads to)`,
      };
    return { kind: 'refused', reason };
  }
}

const EMPTY = new Uint8Array();
const NO_RECEIVER: Outcome = {
  kind: 'refused',
  reason: 'it answered with a web page, which no receiver of OTLP does: is the address right?',
};

/** Of a google.rpc.Status, whose text stands in its second field, or of plain text. */
function textOf(type: string, answer: Uint8Array): string {
  const text = Buffer.from(answer).toString('utf8');
  return type.includes('protobuf') ? text.replaceAll(/[^\x20-\x7e]+/g, ' ') : text;
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function retryAfter(header: string | string[] | undefined, now: number): { afterMs?: number } {
  const text = String(header ?? '').trim();
  if (text === '') return {};
  const afterMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(afterMs) ? { afterMs: Math.max(0, afterMs) } : {};
}

/** The rest is not read. */
async function beginningOf({ body }: Dispatcher.ResponseData): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > MOST_BYTES) break;
  }
  return Buffer.concat(pieces).subarray(0, MOST_BYTES);
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.ConnectTimeoutError) return 'no connection within the time';
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  return inner instanceof Error && inner.message !== '' ? inner.message : error.message;
}
