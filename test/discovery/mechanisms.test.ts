import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDnsDiscoverer } from '../../server/discovery/dns.ts';
import { createFileDiscoverer } from '../../server/discovery/file.ts';
import { createHttpDiscoverer } from '../../server/discovery/http.ts';
import { KubernetesDiscoverer } from '../../server/discovery/kubernetes.ts';
import { WATCH_TIMING } from '../../server/discovery/kubernetes-watch.ts';
import { MECHANISMS } from '../../server/discovery/mechanisms.ts';
import { createStaticDiscoverer } from '../../server/discovery/static.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { describeConformance } from './conformance.ts';
import { fakeApiServer } from './fake-api-server.ts';
import { type DnsAnswer, startFakeDns } from './fake-dns.ts';
import { podManifest } from './pod-manifest.ts';

const surroundings = { now: Date.now, random: () => 0.5 };
const groupsOf = (addresses: readonly string[]) =>
  addresses.map((address) => ({ targets: [address], labels: { a: 'b' } }));

describeConformance('static', (first) => ({
  create: () => createStaticDiscoverer({ targets: first, labels: { a: 'b' } }, surroundings),
}));

describeConformance('file', (first) => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'targets'));
  const path = join(folder, 'targets', 'a.json');
  const write = (text: string) => {
    writeFileSync(join(folder, 'new'), text);
    renameSync(join(folder, 'new'), path);
  };
  write(JSON.stringify(groupsOf(first)));
  return {
    create: () => createFileDiscoverer({ files: [join(folder, 'targets', '*.json')], refreshMs: 60_000 }, surroundings),
    list: (addresses) => write(JSON.stringify(groupsOf(addresses))),
    fail: () => write('[{"targets": ['),
  };
});

describeConformance('http', async (first) => {
  let listed: readonly string[] | undefined = first;
  const server = createServer((_, response) => {
    if (listed === undefined) response.writeHead(503).end('overloaded');
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(groupsOf(listed)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/targets`;
  return {
    create: () => createHttpDiscoverer({ url, refreshMs: 20 }, surroundings),
    list: (addresses) => {
      listed = addresses;
    },
    fail: () => {
      listed = undefined;
    },
    stop: () => void server.close(),
  };
});

describeConformance('dns', async (first) => {
  const dns = await startFakeDns();
  const answer = (addresses: readonly string[]): DnsAnswer =>
    addresses.map((address) => ({ type: 'A', address: address.split(':')[0] ?? '', ttl: 0 }));
  dns.names.set('mesh.test', answer(first));
  const entry = { names: ['mesh.test.'], type: 'A', port: 9901, refreshMs: 20, labels: { a: 'b' } } as const;
  return {
    create: () => createDnsDiscoverer({ ...entry, servers: [dns.server] }, surroundings),
    list: (addresses) => void dns.names.set('mesh.test', answer(addresses)),
    fail: () => void dns.names.set('mesh.test', 'SERVFAIL'),
    stop: () => dns.stop(),
  };
});

describeConformance('kubernetes', async (first) => {
  const server = await fakeApiServer(temporaryFolder());
  const pods = new Map<string, ReturnType<typeof podManifest>>();
  const list = (addresses: readonly string[]) => {
    server.broken = false;
    for (const [address, pod] of pods) if (!addresses.includes(address) && pods.delete(address)) server.remove(pod);
    for (const address of addresses) {
      const [podIP = '', port = ''] = address.split(':');
      const annotations = { 'sidelight.io/port': port };
      const pod = podManifest({ name: `pod-${podIP}`, annotations, status: { podIP } });
      if (!pods.has(address)) server.put(pod);
      pods.set(address, pod);
    }
  };
  list(first);
  const timing = { ...WATCH_TIMING, backOffMs: { first: 10, longest: 50 } };
  const { kubeconfig } = server;
  const entry = {
    kubeconfig,
    namespaces: [],
    selector: '',
    container: 'envoy',
    access: 'direct',
    relabel: [],
  } as const;
  return {
    create: () => new KubernetesDiscoverer(entry, surroundings, timing),
    list,
    fail: () => {
      server.broken = true;
      server.cut();
    },
    stop: () => server.close(),
  };
});

test('every mechanism has gone through the suite above', () => {
  expect(Object.keys(MECHANISMS)).toEqual(['static', 'file', 'http', 'dns', 'kubernetes']);
});
