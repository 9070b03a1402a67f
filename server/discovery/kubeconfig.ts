/** The cluster and user that a kubeconfig's current context names. */

import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { parse } from 'yaml';
import type { TlsSettings } from '../model/reach.ts';
import { execPlugin } from './kubeconfig-exec.ts';
import { type ApiAccess, authorizing, keptAccess } from './kubernetes-access.ts';
import { at, listAt, textAt } from './kubernetes-pod.ts';

export interface KubeconfigOptions {
  /** One, or several that count together: of a name that several have, the first one's counts (Kubernetes docs: merging kubeconfig files). */
  readonly files: readonly string[];
  readonly now: () => number;
  /** Whether pods are asked through the API server, by connections of their own. */
  readonly asksPods: boolean;
}

/** What the current context names, as it is written, but for the paths of files, which are absolute. */
interface Current {
  readonly cluster: unknown;
  readonly user: unknown;
  /** Of the kubeconfig that has the user: the paths of its programs start from there. */
  readonly folder: string;
  readonly now: () => number;
}

/** @throws Error that names the files. */
export async function kubeconfigAccess({ files, now, asksPods }: KubeconfigOptions): Promise<ApiAccess> {
  try {
    const current = { ...findCurrent(files.map(readOne)), now };
    const isProxied = textAt(current.cluster, 'proxy-url') !== '';
    if (isProxied && asksPods) {
      throw new Error(
        'access: proxy cannot go by the proxy-url of the cluster; take access: direct, or run Sidelight where the API server is reached without it',
      );
    }
    if (!isProxied && at(current.user, 'auth-provider') === undefined) return await ownAccess(current);
    return await (await import('./kubeconfig-library.ts')).libraryAccess(current);
  } catch (error) {
    throw new Error(
      `kubeconfig ${files.join(', ')}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
    );
  }
}

/** Needs no library: @kubernetes/client-node takes 80 MiB of memory and half a second. */
async function ownAccess({ cluster, user, folder, now }: Current): Promise<ApiAccess> {
  const server = textAt(cluster, 'server').replace(/\/$/, '');
  const serverName = textAt(cluster, 'tls-server-name');
  const tls: TlsSettings = {
    ...pemOf('ca', textAt(cluster, 'certificate-authority-data'), textAt(cluster, 'certificate-authority')),
    ...pemOf('cert', textAt(user, 'client-certificate-data'), textAt(user, 'client-certificate')),
    ...pemOf('key', textAt(user, 'client-key-data'), textAt(user, 'client-key')),
    ...(serverName && { serverName }),
    ...(at(cluster, 'insecure-skip-tls-verify') === true && { insecureSkipVerify: true }),
  };
  const as = textAt(user, 'as');
  const impersonated = as ? { 'impersonate-user': as } : {};
  if (at(user, 'exec') === undefined) {
    const authorized = authorizing(authOf(user), now);
    return keptAccess({ server, tls, headers: async () => ({ ...(await authorized()), ...impersonated }) });
  }
  const credential = execPlugin(at(user, 'exec'), { cluster, folder, now });
  const { cert, key } = await credential();
  const headers = async () => ({ ...(await credential()).headers, ...impersonated });
  return keptAccess({ server, tls: { ...tls, ...(cert && { cert }), ...(key && { key }) }, headers });
}

/** The first of these that is there, as kubectl takes them. */
function authOf(user: unknown) {
  const bearerTokenFile = textAt(user, 'tokenFile');
  if (bearerTokenFile !== '') return { bearerTokenFile };
  const bearerToken = textAt(user, 'token').trim();
  if (bearerToken !== '') return { bearerToken };
  const username = textAt(user, 'username');
  return username === '' ? {} : { username, password: textAt(user, 'password') };
}

/** Base64 of a PEM counts before the path of one. */
function pemOf(name: 'ca' | 'cert' | 'key', data: string, path: string): TlsSettings {
  if (data !== '') return { [name]: Buffer.from(data, 'base64').toString('latin1') };
  return path === '' ? {} : { [`${name}File`]: path };
}

interface Written {
  readonly tree: object;
  readonly folder: string;
}

function readOne(file: string): Written {
  const tree: unknown = parse(readFileSync(file, 'utf8'));
  if (typeof tree !== 'object' || tree === null) throw new Error('it is empty');
  return { tree, folder: dirname(file) };
}

function findCurrent(written: readonly Written[]): Omit<Current, 'now'> {
  const name = written.map(({ tree }) => at(tree, 'current-context')).find((one) => one !== undefined && one !== '');
  const context = named(written, 'context', name);
  const cluster = named(written, 'cluster', at(context?.value, 'cluster'));
  const user = named(written, 'user', at(context?.value, 'user'));
  if (cluster === undefined || user === undefined)
    throw new Error(`current-context ${JSON.stringify(name ?? '')} names no cluster and user of it`);
  if (!/^https?:\/\/./.test(textAt(cluster.value, 'server')))
    throw new Error(`the cluster of current-context ${JSON.stringify(name)} has no server such as https://host:6443`);
  return { cluster: cluster.value, user: user.value, folder: user.folder };
}

const FILES = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'];

/** The first one of this name in the lists of its kind, its files' paths made absolute. */
function named(written: readonly Written[], kind: 'context' | 'cluster' | 'user', name: unknown) {
  for (const { tree, folder } of written) {
    const entry = listAt(tree, `${kind}s`).find((one) => textAt(one, 'name') === name && name !== '');
    if (entry === undefined) continue;
    const value = at(entry, kind);
    const paths = FILES.map((key) => [key, textAt(value, key)]).filter(([, path]) => path !== '');
    const absolute = paths.map(([key, path = '']) => [key, isAbsolute(path) ? path : join(folder, path)]);
    return { folder, value: { ...(typeof value === 'object' ? value : {}), ...Object.fromEntries(absolute) } };
  }
  return undefined;
}
