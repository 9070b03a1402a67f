/** Pods asked through the API server: a stand-in for it that proxies to the admin port of a real Envoy. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { TargetsAnswer } from '../../server/api/contract.ts';
import { startCollector } from '../../server/collector.ts';
import { loadConfig } from '../../server/config/load.ts';
import { findEnvoy } from '../../server/demo/envoy.ts';
import { startEnvoyProcess } from '../../server/demo/envoy-process.ts';
import { findFreePortOffset } from '../../server/demo/ports.ts';
import { startWatchdog } from '../../server/demo/watchdog.ts';
import { fakeApiServer } from '../discovery/fake-api-server.ts';
import { podManifest } from '../discovery/pod-manifest.ts';
import { eventually } from '../scrape/eventually.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

const ADMIN = { host: '127.0.0.1', port: 18_401 };

/** The port of an Envoy's admin, at 127.0.0.1 alone. */
async function startedEnvoy(folder: string): Promise<number> {
  const use = { ...ADMIN, user: 'admin', where: 'this test' };
  const admin = { ...ADMIN, port: ADMIN.port + (await findFreePortOffset([use])) };
  const address = { socket_address: { address: admin.host, port_value: admin.port } };
  await writeFile(
    join(folder, 'shop.json'),
    JSON.stringify({ node: { id: 'shop-1', cluster: 'shop' }, admin: { address } }),
  );
  const version = process.env.ENVOY_VERSION;
  const binary = await findEnvoy({ log: console.log, ...(version ? { version } : {}) });
  const watchdog = startWatchdog();
  const bootstrap = { instance: 'shop-1', file: 'shop.json', admin, listeners: [] };
  const envoy = startEnvoyProcess({ binary, bootstrap, folder, watchdog });
  onTestFinished(async () => {
    await envoy.stop();
    await watchdog.stop();
  });
  await envoy.ready;
  return admin.port;
}

test('access: proxy: figures come through the API server, and what stands in the way is told with its remedy', async () => {
  const folder = temporaryFolder();
  const server = await fakeApiServer(folder);
  onTestFinished(() => server.close());
  const port = await startedEnvoy(folder);
  // To the API server both pods are other machines: the Envoy listens at the first one's address alone.
  server.put(podManifest({ name: 'open', status: { podIP: '127.0.0.1' } }));
  server.put(podManifest({ name: 'closed', status: { podIP: '127.0.0.2' } }));
  const file = join(folder, 'sidelight.yaml');
  await writeFile(
    file,
    `scrape: { interval: 1s, timeout: 1s }
discovery: { kubernetes: [{ kubeconfig: "${server.kubeconfig}", access: proxy, port: ${port} }] }
web: { listen: "127.0.0.1:0" }
storage: { path: ":memory:" }
`,
  );
  const loaded = loadConfig(file);
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const collector = await startCollector(loaded.config, pino({ level: 'silent' }));
  onTestFinished(() => collector.stop());
  const state = async (pod: string) => {
    const answer: TargetsAnswer = await (await fetch(`${collector.url}/api/v1/targets`)).json();
    return answer.targets.find(({ labels }) => labels.instance === pod);
  };

  await eventually(async () => (await state('open'))?.health).toBe('up');
  expect((await state('open'))?.envoyVersion).toMatch(/^\d+\.\d+\.\d+/);
  await eventually(async () => (await state('closed'))?.lastError).toMatch(
    /^nothing listens at this port of the pod: an admin port that is bound to 127.0.0.1 is open to its own pod alone; bind it to 0.0.0.0 and set admin.allow_paths/,
  );
  server.proxyDenied = true;
  await eventually(async () => (await state('open'))?.lastError).toBe(
    'the API server denies access to the pod (403): our account needs the verb get on pods/proxy, as in deploy/kubernetes/proxy/rbac.yaml',
  );
  server.proxyDenied = false;
  await eventually(async () => (await state('open'))?.health).toBe('up');
}, 120_000); // the first start on a machine installs Envoy
