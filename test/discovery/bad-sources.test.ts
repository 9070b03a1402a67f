/** What goes wrong with sources, and what is said of it. */

import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Discoverer } from '../../server/discovery/discoverer.ts';
import { createDnsDiscoverer } from '../../server/discovery/dns.ts';
import { namesToTry, parseResolvConf } from '../../server/discovery/dns-names.ts';
import { createFileDiscoverer } from '../../server/discovery/file.ts';
import { createHttpDiscoverer } from '../../server/discovery/http.ts';
import { eventually } from '../scrape/eventually.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { type DnsAnswer, startFakeDns } from './fake-dns.ts';
import { started } from './recording-sink.ts';

const surroundings = { now: Date.now, random: () => 0.5 };

function running(discoverer: Discoverer) {
  onTestFinished(() => discoverer.stop());
  return started(discoverer);
}

describe('files', () => {
  const filesIn = (folder: string, ...names: string[]) =>
    running(createFileDiscoverer({ files: names.map((name) => join(folder, name)), refreshMs: 60_000 }, surroundings));

  test.each<[name: string, text: string | Uint8Array, error: string]>([
    ['a.json', '[{', 'is not valid JSON'],
    ['a.json', '{"targets":["a:1"]}', 'the list of groups: expected a list, found a map'],
    ['a.json', '[{"targets":"a:1"}]', 'targets of group 1: expected a list, found the string "a:1"'],
    [
      'a.json',
      '[{"targets":["a:1"]},{"targets":[9901]}]',
      'target 1 of group 2: expected text, found the number "9901"',
    ],
    ['a.json', '[{"targets":[],"labels":{"a":1}}]', 'label a of group 1: expected text, found the number "1"'],
    ['a.json', '[{"targets":[],"labels":{"a-b":"1"}}]', 'group 1: "a-b" is not a label name'],
    ['a.json', '[{"target":["a:1"]}]', 'group 1: unknown key "target"; a group has targets and labels'],
    ['a.json', '[null]', 'group 1: expected a map, found nothing'],
    ['a.json', JSON.stringify([{ targets: ['x'.repeat(2000)] }]), 'target 1 of group 1: 2000 characters; at most 1024'],
    [
      'a.json',
      JSON.stringify([{ targets: [], labels: { a: 'x'.repeat(5000) } }]),
      'label a of group 1: 5000 characters',
    ],
    ['a.yaml', '- targets: [a:1\n- b', 'line 2 is not valid YAML'],
    ['a.yml', '- targets:\n  - a:1\n  labels: x', 'labels of group 1: expected a map, found the string "x"'],
    ['a.json', new Uint8Array([0x5b, 0xff, 0xfe, 0x5d]), 'is not UTF-8 text'],
  ])('%s with %j is told, in one line', async (name, text, error) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, name), text);
    const sink = filesIn(folder, name);
    await eventually(() => sink.error()).toContain(`${join(folder, name)}: `);
    expect(sink.error()).toContain(error);
    expect(sink.error()).not.toContain('\n');
    expect(sink.addresses()).toEqual([]);
  });

  test('YAML keeps labels as they were written, and file names are a label', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.yaml');
    writeFileSync(path, '- targets: ["a:1"]\n  labels: { version: 1.10, on: yes, empty: }\n');
    const sink = filesIn(folder, 'a.yaml');
    await eventually(() => sink.endpoints()).toEqual([
      { address: 'a:1', labels: { version: '1.10', on: 'yes', empty: '', __meta_filepath: path } },
    ]);
  });

  test('one bad file of several keeps its own last good groups only', async () => {
    const folder = temporaryFolder();
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    write('a.json', '[{"targets":["a:1"]},{"targets":["a:2"]}]');
    write('b.json', '[{"targets":["b:1"]}]');
    write('c.txt', 'not asked for');
    const sink = filesIn(folder, '*.json');
    await eventually(() => sink.addresses()).toEqual(['a:1', 'a:2', 'b:1']);
    write('a.json', 'oops');
    write('b.json', '[{"targets":["b:2"]}]');
    await eventually(() => sink.addresses()).toEqual(['a:1', 'a:2', 'b:2']);
    await eventually(() => sink.error()).toContain('a.json: is not valid JSON');
    write('a.json', '[{"targets":["a:1"]}]');
    await eventually(() => sink.addresses()).toEqual(['a:1', 'b:2']);
    await eventually(() => sink.error()).toBe('');
    rmSync(join(folder, 'b.json'));
    await eventually(() => sink.addresses()).toEqual(['a:1']);
  });

  test('a volume of Kubernetes, whose files are links that are swapped at once', async () => {
    const folder = temporaryFolder();
    const publish = (version: string, text: string) => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'a.json'), text);
      symlinkSync(version, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    publish('..1', '[{"targets":["a:1"]}]');
    symlinkSync('..data/a.json', join(folder, 'a.json'));
    const sink = filesIn(folder, '*.json');
    await eventually(() => sink.addresses()).toEqual(['a:1']);
    publish('..2', '[{"targets":["a:2"]}]');
    await eventually(() => sink.addresses()).toEqual(['a:2']);
  });

  test('a folder that comes later is found at the next look', async () => {
    const folder = join(temporaryFolder(), 'later');
    const sink = running(createFileDiscoverer({ files: [join(folder, 'a.json')], refreshMs: 20 }, surroundings));
    await eventually(() => sink.error()).toContain('no such file yet');
    mkdirSync(folder);
    writeFileSync(join(folder, 'a.json'), '[{"targets":["a:1"]}]');
    await eventually(() => sink.addresses()).toEqual(['a:1']);
    await eventually(() => sink.error()).toBe('');
  });
});

describe('servers', () => {
  type Answer = (request: IncomingMessage, response: ServerResponse) => void;
  const json =
    (text: string): Answer =>
    (_, response) =>
      void response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(text);

  async function serving(answer: Answer, path = '/') {
    const server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
    return { url, sink: running(createHttpDiscoverer({ url, refreshMs: 1000 }, surroundings)) };
  }

  test.each<[name: string, answer: Answer, error: string]>([
    ['an error', (_, response) => void response.writeHead(503).end('x'), 'server returned HTTP status 503'],
    [
      'a redirect',
      (_, response) => void response.writeHead(302, { location: '/b' }).end(),
      'HTTP status 302; redirects are not followed',
    ],
    ['no access', (_, response) => void response.writeHead(401).end(), 'HTTP status 401; check source_auth'],
    [
      'HTML',
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      'unsupported content type "text/html"',
    ],
    ['no JSON', json('[{'), 'the answer is not valid JSON'],
    ['another JSON', json('{"a":1}'), 'the list of groups: expected a list, found a map'],
    ['a null group', json('[null]'), 'group 1: expected a map, found nothing'],
    [
      'half an answer',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
        response.write('[{', () => response.destroy());
      },
      'the connection was closed before the answer had ended',
    ],
    [
      'an endless answer',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const piece = Buffer.alloc(1 << 20, 0x20);
        const more = (): void => {
          while (!response.destroyed && response.write(piece));
        };
        response.on('drain', more);
        more();
      },
      'the answer is larger than 33554432 bytes',
    ],
    ['no answer', () => {}, 'it has not answered in time'],
  ])('%s is told', async (_, answer, error) => {
    const { url, sink } = await serving(answer, '/targets?token=secret');
    await eventually(() => sink.error()).toContain(error);
    expect(sink.error()).toContain(url.replace(/\?.*/, ': '));
    expect(sink.error()).not.toMatch(/secret|\n/);
    expect(sink.updates()).toBe(0);
  });

  test('nothing listens, or something that does not speak HTTP', async () => {
    const server = createTcpServer((socket) => void socket.end('SSH-2.0-x\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const sink = running(createHttpDiscoverer({ url, refreshMs: 50 }, surroundings));
    await eventually(() => sink.error()).not.toBe('');
    server.close();
    await eventually(() => sink.error()).toContain('nothing listens there');
  });

  test('is asked as Prometheus asks, and the address is a label', async () => {
    const asked: IncomingMessage[] = [];
    const { url, sink } = await serving((request, response) => {
      asked.push(request);
      json('[{"targets":["a:1"],"labels":{"b":"c"}}]')(request, response);
    });
    await eventually(() => sink.endpoints()).toEqual([{ address: 'a:1', labels: { b: 'c', __meta_url: url } }]);
    expect(asked[0]?.headers).toMatchObject({
      accept: 'application/json',
      'user-agent': 'sidelight',
      'x-prometheus-refresh-interval-seconds': '1',
    });
    expect(asked[0]?.method).toBe('GET');
  });
});

describe('DNS', () => {
  async function dnsWith(
    answers: Readonly<Record<string, DnsAnswer>>,
    entry: Partial<Parameters<typeof createDnsDiscoverer>[0]> = {},
  ) {
    const dns = await startFakeDns();
    onTestFinished(() => dns.stop());
    for (const [name, answer] of Object.entries(answers)) dns.names.set(name, answer);
    const clock = { now: 0 };
    const all = {
      names: ['mesh.test.'],
      type: 'A',
      port: 9901,
      refreshMs: 20,
      labels: {},
      servers: [dns.server],
      ...entry,
    } as const;
    return { dns, clock, sink: running(createDnsDiscoverer(all, { ...surroundings, now: () => clock.now })) };
  }

  test('AAAA records', async () => {
    const { sink } = await dnsWith({ 'mesh.test': [{ type: 'AAAA', address: 'fd00::1' }] }, { type: 'AAAA' });
    await eventually(() => sink.endpoints()).toEqual([
      { address: '[fd00::1]:9901', labels: { __meta_dns_name: 'mesh.test' } },
    ]);
  });

  test('SRV records tell host and port', async () => {
    const records: DnsAnswer = [{ type: 'SRV', target: 'pod-1.mesh.test', port: 15000 }];
    const { sink } = await dnsWith({ 'mesh.test': records }, { type: 'SRV', port: 0, labels: { service: 'a' } });
    await eventually(() => sink.endpoints()).toEqual([
      {
        address: 'pod-1.mesh.test:15000',
        labels: {
          service: 'a',
          __meta_dns_name: 'mesh.test',
          __meta_dns_srv_record_target: 'pod-1.mesh.test.',
          __meta_dns_srv_record_port: '15000',
        },
      },
    ]);
  });

  test.each<[answer: DnsAnswer, error: string]>([
    ['NXDOMAIN', 'mesh.test.: DNS does not know this name (NXDOMAIN); check it'],
    [[], 'mesh.test.: it has no A records; check the name and type'],
    ['SERVFAIL', 'mesh.test.: the name server failed (SERVFAIL)'],
  ])('%j is told', async (answer, error) => {
    const { sink } = await dnsWith({ 'mesh.test': answer });
    await eventually(() => sink.error()).toBe(error);
  });

  test.each<[answer: DnsAnswer, heldMs: number]>([
    ['NXDOMAIN', 300_000],
    ['SERVFAIL', 3_600_000],
  ])('after %j the last good answer stays for a while', async (answer, heldMs) => {
    const { dns, clock, sink } = await dnsWith({ 'mesh.test': [{ type: 'A', address: '10.0.0.1', ttl: 0 }] });
    await eventually(() => sink.addresses()).toEqual(['10.0.0.1:9901']);
    dns.names.set('mesh.test', answer);
    await eventually(() => sink.error()).toContain('its last records stay for a while');
    clock.now += heldMs - 1;
    const before = sink.updates();
    await eventually(() => sink.updates()).toBeGreaterThan(before + 1);
    expect(sink.addresses()).toEqual(['10.0.0.1:9901']);
    clock.now += 2;
    await eventually(() => sink.addresses()).toEqual([]);
    expect(sink.error()).toContain('its last records were given up');
  });

  test('one name that fails does not hide another', async () => {
    const { sink } = await dnsWith(
      {
        'a.test': [{ type: 'A', address: '10.0.0.1' }],
        'b.test': 'garbage',
        'c.test': [{ type: 'A', address: '10.0.0.3' }],
      },
      { names: ['a.test.', 'b.test.', 'c.test.'] },
    );
    await expect.poll(() => sink.addresses(), { timeout: 15_000 }).toEqual(['10.0.0.1:9901', '10.0.0.3:9901']);
    expect(sink.error()).toContain('b.test.: ');
  });

  test('the search domains of resolv.conf, in the order of the system', () => {
    const list = parseResolvConf(
      '# x\nnameserver 10.0.0.10\nsearch a.svc.cluster.local svc.cluster.local\noptions ndots:5 edns0\n',
    );
    expect(namesToTry('shop', list)).toEqual(['shop.a.svc.cluster.local.', 'shop.svc.cluster.local.', 'shop.']);
    expect(namesToTry('shop.', list)).toEqual(['shop.']);
    expect(namesToTry('shop.a.svc', { domains: ['b'], ndots: 1 })).toEqual(['shop.a.svc.', 'shop.a.svc.b.']);
    expect(parseResolvConf('')).toEqual({ domains: [], ndots: 1 });
  });
});
