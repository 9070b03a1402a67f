/** The way to an API server, and what makes one. */

import { Agent as HttpAgent } from 'node:http';
import { Agent, type RequestOptions } from 'node:https';
import type { AuthSettings, TlsSettings } from '../model/reach.ts';
import { tlsOptions } from '../reach/connect.ts';
import { authorization, SecretFiles } from '../reach/credentials.ts';

/** The way to an API server. */
export interface ApiAccess {
  /** `https://host:port`, with a path's prefix where there is one, without a slash at its end. */
  readonly server: string;
  /** Agent, TLS and headers of a request; tokens are fresh. */
  options(): Promise<RequestOptions>;
  /** The same for others who ask the API server. */
  readonly tls: TlsSettings;
  /** The headers alone. */
  headers(): Promise<Readonly<Record<string, string>>>;
  /** Ends its connections. */
  close(): void;
}

/** Access whose connections are kept for the next request. @throws CredentialsError */
export async function keptAccess(access: Pick<ApiAccess, 'server' | 'tls' | 'headers'>): Promise<ApiAccess> {
  const { server, tls, headers } = access;
  const agent = server.startsWith('http:')
    ? new HttpAgent({ keepAlive: true })
    : new Agent({ keepAlive: true, ...(await tlsOptions(tls)) });
  return { ...access, options: async () => ({ agent, headers: await headers() }), close: () => agent.destroy() };
}

/** The header that says who we are; what stands in files is read again when it is some seconds old. */
export function authorizing(auth: AuthSettings, now: () => number): ApiAccess['headers'] {
  const secrets = new SecretFiles(now);
  return async () => {
    const authorized = await authorization(auth, secrets);
    return authorized === undefined ? {} : { authorization: authorized };
  };
}
