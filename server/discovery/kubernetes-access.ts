/** Who we are to the API server, and where it is: the pod's own service account, or a kubeconfig. */

import { existsSync, readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { parse } from 'yaml';
import type { TlsSettings } from '../model/reach.ts';
import { at, listAt, textAt } from './kubernetes-pod.ts';

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

/** Where a pod finds its service account. */
const ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
/** How long a token is taken for fresh; Kubernetes renews it an hour and more before it expires. */
const TOKEN_MS = 10_000;

export interface AccessOptions {
  /** Path of a kubeconfig. Without one: the pod's service account, else $KUBECONFIG, else ~/.kube/config. */
  readonly kubeconfig: string | undefined;
  readonly now: () => number;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly accountFolder?: string;
}

/** @throws Error that says in plain words what is missing. */
export async function openAccess(options: AccessOptions): Promise<ApiAccess> {
  const { kubeconfig, environment = process.env, accountFolder = ACCOUNT_FOLDER, now } = options;
  if (kubeconfig !== undefined) return kubeconfigAccess(kubeconfig);
  const host = environment.KUBERNETES_SERVICE_HOST;
  if (host && existsSync(join(accountFolder, 'token'))) {
    const authority = `${host.includes(':') ? `[${host}]` : host}:${environment.KUBERNETES_SERVICE_PORT || 443}`;
    return accountAccess(`https://${authority}`, accountFolder, now);
  }
  const file = environment.KUBECONFIG?.split(':')[0] || join(homedir(), '.kube', 'config');
  if (existsSync(file)) return kubeconfigAccess(file);
  throw new Error(
    `there is neither a service account (${accountFolder}) nor a kubeconfig (${file}): set discovery.kubernetes[].kubeconfig`,
  );
}

/** Needs no library: a pod's account is two files, and @kubernetes/client-node takes 80 MB of memory. */
function accountAccess(server: string, folder: string, now: () => number): ApiAccess {
  const caFile = join(folder, 'ca.crt');
  const agent = new Agent({ keepAlive: true, ca: readFileSync(caFile) });
  let token = { text: '', at: Number.NEGATIVE_INFINITY };
  const headers = async () => {
    if (now() - token.at >= TOKEN_MS) {
      token = { text: readFileSync(join(folder, 'token'), 'utf8').trim(), at: now() };
    }
    return { authorization: `Bearer ${token.text}` };
  };
  return {
    server,
    tls: { caFile },
    headers,
    options: async () => ({ agent, headers: await headers() }),
    close: () => agent.destroy(),
  };
}

async function kubeconfigAccess(file: string): Promise<ApiAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    config.loadFromString(JSON.stringify(readKubeconfig(file)));
  } catch (error) {
    throw new Error(`kubeconfig ${file}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  }
  config.makePathsAbsolute(dirname(file));
  const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()];
  if (cluster === null || user === null) {
    throw new Error(
      `kubeconfig ${file}: current-context ${shown(config.currentContext)} names no cluster and user of it`,
    );
  }
  const applied = async () => {
    const filled: RequestOptions = { headers: {} };
    await config.applyToHTTPSOptions(filled);
    return filled;
  };
  const { ca, cert, key, servername, rejectUnauthorized, agent: proxying } = await applied();
  const tls: TlsSettings = {
    ...textOf('ca', ca),
    ...textOf('cert', cert),
    ...textOf('key', key),
    ...(servername ? { serverName: servername } : {}),
    ...(rejectUnauthorized === false ? { insecureSkipVerify: true } : {}),
  };
  const headers = async () => headersOf(await applied());
  const agent = cluster.proxyUrl
    ? proxying
    : keepingAgent(cluster.server, { ca, cert, key, servername, rejectUnauthorized });
  const close = () => agent instanceof HttpAgent && agent.destroy();
  return { server: cluster.server, tls, headers, options: async () => ({ agent, headers: await headers() }), close };
}

/** The library's own agents open a connection per request. */
function keepingAgent(server: string, options: AgentOptions): HttpAgent {
  if (server.startsWith('http:')) return new HttpAgent({ keepAlive: true });
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
  return new Agent({ keepAlive: true, ...Object.fromEntries(given) });
}

/** As it is written, but for `tokenFile`, which the library does not know. */
function readKubeconfig(file: string): unknown {
  const written: unknown = parse(readFileSync(file, 'utf8'));
  if (typeof written !== 'object' || written === null) throw new Error('it is empty');
  for (const { user } of listAt(written, 'users') as readonly { user?: Record<string, unknown> }[]) {
    const tokenFile = textAt(user, 'tokenFile');
    if (user === undefined || tokenFile === '' || at(user, 'token') !== undefined) continue;
    const path = isAbsolute(tokenFile) ? tokenFile : join(dirname(file), tokenFile);
    user['auth-provider'] = { name: 'tokenFile', config: { tokenFile: path } };
  }
  return written;
}

function textOf<Name extends 'ca' | 'cert' | 'key'>(name: Name, value: RequestOptions[Name]) {
  return value ? { [name]: String(value) } : {};
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  const written = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value).trim()]);
  return { ...basic, ...Object.fromEntries(written) };
}

function shown(text: unknown): string {
  return JSON.stringify(text ?? '');
}
