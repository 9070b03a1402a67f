import { readFile } from 'node:fs/promises';
import { isIP, type LookupFunction, type NetConnectOpts } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { buildConnector } from 'undici';
import type { TlsSettings } from '../model/reach.ts';
import { CredentialsError } from './credentials.ts';
import { guardedLookup, isRefusedAddress, RefusedAddressError } from './link-local.ts';

export interface ReachOptions {
  readonly tls?: TlsSettings | undefined;
  /** A unix socket in place of host and port. */
  readonly socketPath?: string | undefined;
  readonly allowLinkLocal: boolean;
  /** Resolves names; by default the system's, with link-local addresses refused. */
  readonly lookup?: LookupFunction;
}

export interface ConnectOptions extends ReachOptions {
  readonly timeoutMs: number;
}

/**
 * Opens connections for undici: names are resolved once per connection, link-local addresses are refused, and the
 * files of TLS are read anew for every connection.
 */
export function connectorOf(options: ConnectOptions): buildConnector.connector {
  const { timeoutMs, socketPath, allowLinkLocal } = options;
  const lookup = allowLinkLocal ? undefined : (options.lookup ?? guardedLookup());
  return (target, done) => {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (!allowLinkLocal && socketPath === undefined && isIP(host) !== 0 && isRefusedAddress(host)) {
      done(new RefusedAddressError(host), null);
      return;
    }
    tlsOptions(target.protocol === 'https:' ? options.tls : undefined).then(
      (tls) => {
        const connect = buildConnector({
          ...tls,
          timeout: timeoutMs,
          ...(socketPath === undefined ? {} : { socketPath }),
          ...(lookup === undefined ? {} : { lookup }),
        });
        connect(target, done);
      },
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), null),
    );
  };
}

/**
 * What {@link connectorOf} sees to, as options for Node's own `connect` to the host of a URL; `tls` for https.
 * @throws RefusedAddressError, CredentialsError
 */
export async function socketOptions(
  { protocol, hostname, port }: Pick<URL, 'protocol' | 'hostname' | 'port'>,
  options: ReachOptions,
): Promise<{ tcp: NetConnectOpts; tls?: ConnectionOptions }> {
  const { socketPath, allowLinkLocal } = options;
  const host = hostname.replace(/^\[|\]$/g, '');
  if (socketPath === undefined) refuseLinkLocal(host, allowLinkLocal);
  const lookup = allowLinkLocal ? options.lookup : (options.lookup ?? guardedLookup());
  const isSecure = protocol === 'https:';
  const tcp = { host, port: Number(port) || (isSecure ? 443 : 80), ...(lookup && { lookup }) };
  const tls = isSecure && { ...(isIP(host) === 0 && { servername: host }), ...(await tlsOptions(options.tls)) };
  return { tcp: socketPath === undefined ? tcp : { path: socketPath }, ...(tls && { tls }) };
}

function refuseLinkLocal(host: string, isAllowed: boolean): void {
  if (!isAllowed && isIP(host) !== 0 && isRefusedAddress(host)) throw new RefusedAddressError(host);
}

/** Options of Node's TLS, files read. @throws CredentialsError */
export async function tlsOptions(tls: TlsSettings | undefined) {
  if (tls === undefined) return {};
  const [ca, cert, key] = await Promise.all([
    tls.caFile === undefined ? tls.ca : pem(tls.caFile),
    tls.certFile === undefined ? tls.cert : pem(tls.certFile),
    tls.keyFile === undefined ? tls.key : pem(tls.keyFile),
  ]);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.insecureSkipVerify === undefined ? {} : { rejectUnauthorized: !tls.insecureSkipVerify }),
  };
}

async function pem(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CredentialsError(`${path} cannot be read (${error.code}): check the path and its permissions`);
  });
  if (!text.includes('-----BEGIN ')) throw new CredentialsError(`${path} is not a PEM file: it has no -----BEGIN line`);
  return text;
}
