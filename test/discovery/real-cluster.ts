import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);

/** The folder with up.sh and down.sh, which start and stop a real kube-apiserver with its etcd. */
const KUBETEST = process.env.KUBETEST ?? '';
const hasCluster = KUBETEST !== '' && existsSync(join(KUBETEST, 'up.sh'));

/** Tests that need a real API server; without one, a single test that says that they were not run, and why. */
export function describeOnCluster(name: string, suite: () => void): void {
  if (hasCluster) return void describe(name, suite);
  const reason = KUBETEST === '' ? 'KUBETEST is not set' : `KUBETEST names no folder with up.sh: ${KUBETEST}`;
  test(`NOT RUN: ${name} (${reason})`, () => {
    console.warn(`Not run: what needs a real API server, ${name}. The environment variable ${reason}.`);
    expect(hasCluster).toBe(false);
  });
}

export interface Cluster {
  /** Admin's, who may do everything. */
  readonly kubeconfig: string;
  readonly namespace: string;
  /** Of an account that may get, list and watch pods of `namespace`, and nothing else. */
  readonly restrictedKubeconfig: string;
  readonly url: string;
  readonly caFile: string;
  /** A request as admin. @throws Error for a status of 300 and above. */
  ask(method: string, path: string, body?: object, type?: string): Promise<unknown>;
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a cluster of its own: an API server and its etcd, on free loopback ports. */
export async function startCluster(): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'kubetest-'));
  const cache = join(process.cwd(), '.cache', 'kubetest');
  const environment = { ...process.env, KUBETEST_CACHE: cache };
  mkdirSync(cache, { recursive: true });
  await run('flock', [join(cache, 'unpacking'), join(KUBETEST, 'up.sh'), '--build-only'], { env: environment });
  const up = async () => run(join(KUBETEST, 'up.sh'), [folder], { env: environment });
  const down = async (...rest: string[]) => run(join(KUBETEST, 'down.sh'), [folder, ...rest], { env: environment });
  const { stdout } = await up();
  const told = Object.fromEntries(stdout.split('\n').map((line) => line.split(/=(.*)/s, 2)));
  const [url, caFile] = [String(told.KUBETEST_URL), String(told.KUBETEST_CA)];
  const token = readFileSync(String(told.TOKEN_ADMIN_FILE), 'utf8').trim();
  const agent = new Agent({ keepAlive: true, ca: readFileSync(caFile), maxSockets: 16 });
  return {
    kubeconfig: String(told.KUBECONFIG_ADMIN),
    restrictedKubeconfig: String(told.KUBECONFIG_RESTRICTED),
    namespace: String(told.KUBETEST_NS),
    url,
    caFile,
    ask: (method, path, body, type = 'application/json') =>
      ask({ url: url + path, method, agent, token, type, ...(body && { body }) }),
    stopApiServer: async () => void (await down('apiserver')),
    startApiServer: async () => void (await up()),
    stop: async () => {
      agent.destroy();
      await run(join(KUBETEST, 'down.sh'), [folder], {
        env: { ...environment, KUBETEST_RM: '1', KUBETEST_SIGNAL: 'KILL' },
      });
    },
  };
}

interface Request {
  readonly url: string;
  readonly method: string;
  readonly agent: Agent;
  readonly token: string;
  readonly type: string;
  readonly body?: object;
}

function ask({ url, method, agent, token, type, body }: Request): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const headers = { authorization: `Bearer ${token}`, 'content-type': type };
  const asked = request(url, { method, agent, headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on('error', reject);
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      if ((response.statusCode ?? 500) < 300) resolve(JSON.parse(text));
      else reject(new Error(`${method} ${url}: ${response.statusCode} ${text.slice(0, 500)}`));
    });
  });
  asked.on('error', reject);
  asked.end(body && JSON.stringify(body));
  return promise;
}

/** Makes a pod and gives it its status, as a scheduler and a kubelet would. */
export async function makePod(cluster: Cluster, manifest: ManifestLike): Promise<void> {
  const { status, ...rest } = manifest;
  const folder = `/api/v1/namespaces/${manifest.metadata.namespace}/pods`;
  await cluster.ask('POST', folder, rest);
  await patchStatus(cluster, manifest, status);
}

export async function patchStatus(cluster: Cluster, { metadata }: ManifestLike, status: object): Promise<void> {
  const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/status`;
  await cluster.ask('PATCH', path, { status }, 'application/merge-patch+json');
}

/** Deletes a pod as a kubelet does in the end. */
export async function deletePod(cluster: Cluster, { metadata }: ManifestLike): Promise<void> {
  const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}?gracePeriodSeconds=0`;
  await cluster.ask('DELETE', path);
}

interface ManifestLike {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly status: object;
}
