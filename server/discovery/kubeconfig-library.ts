/** Kubeconfigs with what only @kubernetes/client-node knows: the older auth providers, and proxies on the way. */

import { Agent as HttpAgent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { TlsSettings } from '../model/reach.ts';
import { type ApiAccess, keptAccess } from './kubernetes-access.ts';

/** A cluster and a user as a kubeconfig has them, and the folder that the user's programs are looked for in. */
export interface CurrentContext {
  readonly cluster: unknown;
  readonly user: unknown;
  readonly folder: string;
}

/** The current context of a kubeconfig that is known to name a cluster and a user. @throws Error */
export async function libraryAccess({ cluster, user, folder }: CurrentContext): Promise<ApiAccess> {
  const config = new KubeConfig();
  const name = 'current';
  const contexts = [{ name, context: { cluster: name, user: name } }];
  const written = { contexts, clusters: [{ name, cluster }], users: [{ name, user }] };
  config.loadFromString(JSON.stringify({ ...written, 'current-context': name }));
  config.makePathsAbsolute(folder);
  const { server = '', proxyUrl } = config.getCurrentCluster() ?? {};
  const applied = async () => {
    const filled: RequestOptions = { headers: {} };
    await config.applyToHTTPSOptions(filled);
    return filled;
  };
  const { ca, cert, key, servername, rejectUnauthorized, agent } = await applied();
  const tls: TlsSettings = {
    ...textOf('ca', ca),
    ...textOf('cert', cert),
    ...textOf('key', key),
    ...(servername ? { serverName: servername } : {}),
    ...(rejectUnauthorized === false ? { insecureSkipVerify: true } : {}),
  };
  const headers = async () => headersOf(await applied());
  if (!proxyUrl) return keptAccess({ server, tls, headers });
  const close = () => agent instanceof HttpAgent && agent.destroy();
  return { server, tls, headers, options: async () => ({ agent, headers: await headers() }), close };
}

function textOf<Name extends 'ca' | 'cert' | 'key'>(name: Name, value: RequestOptions[Name]) {
  return value ? { [name]: String(value) } : {};
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  const written = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value).trim()]);
  return { ...basic, ...Object.fromEntries(written) };
}
