/** The cluster and user that a kubeconfig's current context names. */

import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { parse } from 'yaml';
import type { TlsSettings } from '../model/reach.ts';
import { execPlugin } from './kubeconfig-exec.ts';
import { type ApiAccess, authorizing, keptAccess } from './kubernetes-access.ts';
import { at, listAt, textAt } from './kubernetes-pod.ts';

export interface KubeconfigOptions {
  readonly file: string;
  readonly now: () => number;
  /** Whether pods are asked through the API server, by connections of their own. */
  readonly asksPods: boolean;
}

/** What the current context names, as it is written. */
interface Current {
  readonly written: object;
  readonly cluster: unknown;
  readonly user: unknown;
  /** The kubeconfig's, which relative paths start from. */
  readonly folder: string;
  readonly now: () => number;
}

/** @throws Error that names the file. */
export async function kubeconfigAccess({ file, now, asksPods }: KubeconfigOptions): Promise<ApiAccess> {
  try {
    const current = { ...readCurrent(readFileSync(file, 'utf8')), folder: dirname(file), now };
    const isProxied = textAt(current.cluster, 'proxy-url') !== '';
    if (isProxied && asksPods) {
      throw new Error(
        'access: proxy cannot go by the proxy-url of the cluster; take access: direct, or run Sidelight where the API server is reached without it',
      );
    }
    if (!isProxied && at(current.user, 'auth-provider') === undefined) return await ownAccess(current);
    return await (await import('./kubeconfig-library.ts')).libraryAccess(current);
  } catch (error) {
    throw new Error(`kubeconfig ${file}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  }
}

/** Needs no library: @kubernetes/client-node takes 80 MiB of memory and half a second. */
async function ownAccess({ cluster, user, folder, now }: Current): Promise<ApiAccess> {
  const server = textAt(cluster, 'server').replace(/\/$/, '');
  const serverName = textAt(cluster, 'tls-server-name');
  const tls: TlsSettings = {
    ...pemOf('ca', textAt(cluster, 'certificate-authority-data'), pathOf(folder, cluster, 'certificate-authority')),
    ...pemOf('cert', textAt(user, 'client-certificate-data'), pathOf(folder, user, 'client-certificate')),
    ...pemOf('key', textAt(user, 'client-key-data'), pathOf(folder, user, 'client-key')),
    ...(serverName && { serverName }),
    ...(at(cluster, 'insecure-skip-tls-verify') === true && { insecureSkipVerify: true }),
  };
  const as = textAt(user, 'as');
  const impersonated = as ? { 'impersonate-user': as } : {};
  if (at(user, 'exec') === undefined) {
    const authorized = authorizing(authOf(user, folder), now);
    return keptAccess({ server, tls, headers: async () => ({ ...(await authorized()), ...impersonated }) });
  }
  const credential = execPlugin(at(user, 'exec'), { cluster, folder, now });
  const { cert, key } = await credential();
  const headers = async () => ({ ...(await credential()).headers, ...impersonated });
  return keptAccess({ server, tls: { ...tls, ...(cert && { cert }), ...(key && { key }) }, headers });
}

/** The first of these that is there, as kubectl takes them. */
function authOf(user: unknown, folder: string) {
  const bearerTokenFile = pathOf(folder, user, 'tokenFile');
  if (bearerTokenFile !== '') return { bearerTokenFile };
  const bearerToken = textAt(user, 'token').trim();
  if (bearerToken !== '') return { bearerToken };
  const username = textAt(user, 'username');
  return username === '' ? {} : { username, password: textAt(user, 'password') };
}

function pathOf(folder: string, map: unknown, key: string): string {
  const path = textAt(map, key);
  return path === '' || isAbsolute(path) ? path : join(folder, path);
}

/** Base64 of a PEM counts before the path of one. */
function pemOf(name: 'ca' | 'cert' | 'key', data: string, path: string): TlsSettings {
  if (data !== '') return { [name]: Buffer.from(data, 'base64').toString('latin1') };
  return path === '' ? {} : { [`${name}File`]: path };
}

function readCurrent(text: string): Pick<Current, 'written' | 'cluster' | 'user'> {
  const written: unknown = parse(text);
  if (typeof written !== 'object' || written === null) throw new Error('it is empty');
  const name = at(written, 'current-context');
  const context = named(written, 'context', name);
  const cluster = named(written, 'cluster', at(context, 'cluster'));
  const user = named(written, 'user', at(context, 'user'));
  if (cluster === undefined || user === undefined)
    throw new Error(`current-context ${JSON.stringify(name ?? '')} names no cluster and user of it`);
  if (!/^https?:\/\/./.test(textAt(cluster, 'server')))
    throw new Error(`the cluster of current-context ${JSON.stringify(name)} has no server such as https://host:6443`);
  return { written, cluster, user };
}

/** The one of this name in the list of its kind. */
function named(written: object, kind: 'context' | 'cluster' | 'user', name: unknown): unknown {
  const entry = listAt(written, `${kind}s`).find((one) => textAt(one, 'name') === name && name !== '');
  return entry === undefined ? undefined : (at(entry, kind) ?? {});
}
