/** Kubeconfigs with what only @kubernetes/client-node knows: the older auth providers, and proxies on the way. */

import { Agent as HttpAgent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { TlsSettings } from '../model/reach.ts';
import { type ApiAccess, keptAccess } from './kubernetes-access.ts';

/** The current context of a kubeconfig that is known to name a cluster and a user. @throws Error */
export async function libraryAccess({ written, folder }: { written: object; folder: string }): Promise<ApiAccess> {
  const config = new KubeConfig();
  config.loadFromString(JSON.stringify(written));
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
