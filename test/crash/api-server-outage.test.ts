/** A real API server goes away from under the running collector, for `OUTAGE_SECONDS`, and comes back. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { ServiceAnswer } from '../../server/api/contract.ts';
import { podManifest } from '../discovery/pod-manifest.ts';
import { describeOnCluster, makePod, startCluster } from '../discovery/real-cluster.ts';
import { getJson, startTestCollector } from '../e2e/collector.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { CountingAdmin } from './counting-admin.ts';

const OUTAGE_MS = 1000 * Number(process.env.OUTAGE_SECONDS ?? 3);
const eventually = { timeout: 60_000, interval: 200 };

describeOnCluster('an API server that goes away from the running collector', () => {
  test('pods stay and every request is counted, new pods are found once it is back', {
    timeout: 180_000 + OUTAGE_MS,
  }, async () => {
    const cluster = await startCluster();
    onTestFinished(() => cluster.stop());
    await cluster.ask('POST', '/api/v1/namespaces', { metadata: { name: 'outage' } });
    const admins = { before: await new CountingAdmin().start(), after: await new CountingAdmin().start() };
    for (const admin of Object.values(admins)) onTestFinished(() => admin.stop());
    const add = (name: keyof typeof admins) =>
      makePod(
        cluster,
        podManifest({
          name,
          namespace: 'outage',
          labels: { app: name },
          annotations: { 'sidelight.io/port': String(admins[name].port) },
          nodeName: 'node-a',
          status: { podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] },
        }),
      );
    await add('before');
    const folder = temporaryFolder();
    const configFile = join(folder, 'sidelight.yaml');
    const kubernetes = [{ kubeconfig: cluster.kubeconfig, namespaces: ['outage'] }];
    writeFileSync(configFile, JSON.stringify({ discovery: { kubernetes } }));
    const storagePath = join(folder, 'sidelight.db');
    const collector = await startTestCollector({ configFile, targets: [], storagePath, intervalSeconds: 1 });
    onTestFinished(() => collector.kill());
    const requestsOf = async (service: string) => {
      const range = `from=${Date.now() - 3_600_000}&to=${Date.now() + 60_000}`;
      return (await getJson<ServiceAnswer>(`${collector.url}/api/v1/services/${service}?${range}`)).requests ?? 0;
    };
    const told = (pattern: RegExp) => collector.log.filter((line) => pattern.test(line)).length;

    await vi.waitFor(async () => expect(await requestsOf('before')).toBeGreaterThan(0), eventually);
    await cluster.stopApiServer();
    await vi.waitFor(() => expect(told(/discovery\.kubernetes\[0\]: /)).toBeGreaterThan(0), eventually);
    const counted = await requestsOf('before');
    await delay(OUTAGE_MS);
    await vi.waitFor(async () => expect(await requestsOf('before')).toBeGreaterThan(counted + 7), eventually);
    expect(told(/discovery\.kubernetes\[0\]: /)).toBeLessThan(4);
    await cluster.startApiServer();
    await add('after');
    await vi.waitFor(() => expect(told(/discovery\.kubernetes\[0\] works again/)).toBe(1), eventually);
    await vi.waitFor(async () => expect(await requestsOf('after')).toBeGreaterThan(0), eventually);
    for (const admin of Object.values(admins)) admin.busy = false;
    await vi.waitFor(async () => {
      for (const name of ['before', 'after'] as const) expect(await requestsOf(name)).toBe(admins[name].counted);
    }, eventually);
  });
});
