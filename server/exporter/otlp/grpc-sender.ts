import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { tlsOptions } from '../../reach/connect.ts';
import { fieldsOf, type Outcome, oneLine, outcomeOf, type Sender } from './outcome.ts';
import type { RequestHeaders } from './request-headers.ts';
import type { OtlpSettings } from './settings.ts';

const EXPORT = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
/** Most of an answer that is read. */
const MOST_BYTES = 65_536;
/** grpc-js always tells the server a name, which TLS doesn't let be an address (RFC 6066, section 3; Node 26 refuses it). */
const NO_NAME = 'address.invalid';
/** As grpc-js numbers it. */
const GZIP = 2;

/** https://opentelemetry.io/docs/specs/otlp/#failures; RESOURCE_EXHAUSTED only with a time to come back. */
const RETRYABLE: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

export interface GrpcSenderOptions {
  readonly settings: Pick<OtlpSettings, 'url' | 'timeoutMs' | 'compression' | 'tls'>;
  readonly headers: RequestHeaders;
}

/** OTLP over gRPC. */
export class GrpcSender implements Sender {
  private readonly options: GrpcSenderOptions;
  private client: Client | undefined;

  constructor(options: GrpcSenderOptions) {
    this.options = options;
  }

  async send(body: Uint8Array, signal: AbortSignal): Promise<Outcome> {
    try {
      const [client, metadata] = await Promise.all([this.connected(), this.metadata()]);
      return await this.call(client, { metadata, body: Buffer.from(body), signal });
    } catch (error) {
      return { kind: 'retry', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  async close(): Promise<void> {
    this.client?.close();
  }

  private call(
    client: Client,
    { metadata, body, signal }: { metadata: Metadata; body: Buffer; signal: AbortSignal },
  ): Promise<Outcome> {
    const { timeoutMs } = this.options.settings;
    return new Promise((resolve) => {
      const same = (bytes: Buffer) => bytes;
      const deadline = Date.now() + timeoutMs;
      const call = client.makeUnaryRequest(EXPORT, same, same, body, metadata, { deadline }, (error, answer) => {
        signal.removeEventListener('abort', abort);
        resolve(error ? failed(error, timeoutMs) : outcomeOf(answer ?? Buffer.alloc(0)));
      });
      const abort = () => call.cancel();
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
  }

  private async connected(): Promise<Client> {
    const { url, compression, tls } = this.options.settings;
    const name = tls?.serverName ?? (addressIn(url) === undefined ? undefined : NO_NAME);
    this.client ??= new Client(new URL(url).host, await this.credentials(), {
      'grpc.max_receive_message_length': MOST_BYTES,
      'grpc.enable_retries': 0,
      ...(name === undefined ? {} : { 'grpc.ssl_target_name_override': name }),
      ...(compression === 'gzip' ? { 'grpc.default_compression_algorithm': GZIP } : {}),
    });
    return this.client;
  }

  private async credentials(): Promise<ChannelCredentials> {
    const { url, tls } = this.options.settings;
    if (new URL(url).protocol !== 'https:') return credentials.createInsecure();
    const { ca, cert, key }: Files = await tlsOptions(tls);
    const buffer = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
    const rejectUnauthorized = tls?.insecureSkipVerify !== true;
    const address = tls?.serverName === undefined ? addressIn(url) : undefined;
    return credentials.createSsl(buffer(ca), buffer(key), buffer(cert), {
      rejectUnauthorized,
      ...(address !== undefined && {
        checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(address, certificate),
      }),
    });
  }

  private async metadata(): Promise<Metadata> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(await this.options.headers())) metadata.set(name, value);
    return metadata;
  }
}

/** The address that a URL names its host by, if it does. */
function addressIn(url: string): string | undefined {
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? undefined : host;
}

interface Files {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

function failed(error: ServiceError, timeoutMs: number): Outcome {
  const { code, details, metadata } = error;
  if (code === status.DEADLINE_EXCEEDED) return { kind: 'retry', reason: `no answer within ${timeoutMs / 1000} s` };
  const said = oneLine(details);
  const reason = `it answered ${status[code] ?? code}${said === '' ? '' : `: ${said}`}`;
  const afterMs = retryDelay(metadata.get('grpc-status-details-bin')[0]);
  if (RETRYABLE.has(code) || (code === status.RESOURCE_EXHAUSTED && afterMs !== undefined))
    return { kind: 'retry', reason, ...(afterMs === undefined ? {} : { afterMs }) };
  return { kind: 'refused', reason };
}

const RETRY_INFO = 'google.rpc.RetryInfo';

/** When to come back, of a google.rpc.Status with a RetryInfo among its details. */
function retryDelay(details: string | Buffer | undefined): number | undefined {
  if (!(details instanceof Uint8Array)) return undefined;
  try {
    for (const [field, detail] of fieldsOf(details)) {
      if (field !== 3 || !(detail instanceof Uint8Array)) continue;
      const [type, value] = [bytesIn(detail, 1), bytesIn(detail, 2)];
      if (!type || !value || !Buffer.from(type).toString('utf8').endsWith(RETRY_INFO)) continue;
      const duration = new Map(fieldsOf(bytesIn(value, 1) ?? new Uint8Array()));
      const [seconds, nanos] = [duration.get(1) ?? 0, duration.get(2) ?? 0];
      if (typeof seconds === 'number' && typeof nanos === 'number') return Math.max(0, seconds * 1000 + nanos / 1e6);
    }
  } catch {
    // Details that can't be read tell no time.
  }
  return undefined;
}

function bytesIn(message: Uint8Array, field: number): Uint8Array | undefined {
  const value = fieldsOf(message).find(([number]) => number === field)?.[1];
  return value instanceof Uint8Array ? value : undefined;
}
