import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withoutSecrets } from '../../server/cli/secrets.ts';
import { CLUSTERS_PATH } from '../../server/envoy/clusters.ts';
import { LISTENERS_PATH } from '../../server/envoy/listeners.ts';
import { capture } from '../envoy/captures.ts';
import { FAKE_INFO, FAKE_STATS, healthy, sendText, startFakeAdmin } from '../scrape/fake-admin.ts';
import { startFakeTlsAdmin, tlsFile } from '../scrape/fake-tls-admin.ts';
import { runSidelight } from './sidelight.ts';

let folder: string;

const SECRET_STATS = [
  'cluster.https_//admin_hunter2@db.example_443.membership_total: 1',
  'cluster.https_//admin_hunter2@db.example_443.upstream_rq_2xx: 3',
  'cluster.hook?token=hunter2&a=b.membership_total: 1',
  'server.uptime: 9',
  '',
].join('\n');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sidelight-explain-'));
  const files: Record<string, string | Buffer> = {
    'good.txt': FAKE_STATS,
    'good.txt.gz': gzipSync(FAKE_STATS),
    'rich.json.gz': gzipSync(capture('1.40.0/1_stats_cumulative_usedonly.json')),
    'info.json': FAKE_INFO,
    'secrets.txt': SECRET_STATS,
    'empty.txt': '',
    'page.html': '\n<!DOCTYPE html><html></html>',
    'words.txt': 'these are words\n',
    'cut.gz': gzipSync(FAKE_STATS).subarray(0, 60),
    'rules.yaml': 'peers: [{ match: "rev(.*)", service: "look$1" }]\nscrape: { body_limit: 1MiB }\n',
    'large.txt': 'x'.repeat(1024 * 1024 + 1),
    'bad.yaml': 'peerz: []\n',
  };
  for (const [name, body] of Object.entries(files)) writeFileSync(join(folder, name), body);
  mkdirSync(join(folder, 'sub'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const explain = (...args: string[]) => runSidelight(['explain', ...args], folder);

const GOOD = (file: string) => [
  `${file}: Envoy 1.40.0`,
  'text of 255 bytes: 4 stats used, 2 ignored',
  '',
  'UNDERSTOOD AS',
  '  WHAT             IS          BY',
  '  service          checkout    node.cluster of /server_info',
  '  instance         checkout-1  node.id of /server_info',
  '  namespace        —',
  '  region           eu          label region',
  '  zone             —',
  '  role             sidecar     nothing says gateway',
  '  vantage          server      requests to it are seen here',
  "  precision        bins        Envoy's own bins (detailed)",
  '  inbound figures  downstream  the inbound connection managers',
  '  gRPC failures    —           no stat tells them: a call that fails under HTTP 200 would count as a success',
  '',
  'CONNECTION MANAGERS',
  '  STAT PREFIX  IS              BY',
  '  admin        infrastructure  its name',
  '  ingress      inbound         its name',
  '',
  'CLUSTERS',
  '  CLUSTER  IS    SERVICE  NAMESPACE  BY',
  '  reviews  peer  reviews  —          the name as it is',
  '',
  'USED',
  '  FIGURE                  INBOUND  OUTBOUND  TARGET',
  '  endpoints total               0         1       0',
  '  latency                       1         0       0',
  '  requests by code class        1         1       0',
];

test.for(['good.txt', 'good.txt.gz'])('%s as a table', async (file) => {
  const { code, out, err } = await explain(
    file,
    '--server-info=info.json',
    '--label=region=eu',
    '--label=api_key=hunter2',
  );
  expect({ code, err }).toEqual({ code: 0, err: [] });
  expect(out.slice(0, GOOD(file).length).join('\n')).toBe(GOOD(file).join('\n'));
  expect(out.slice(-2)).toEqual([
    'TO GET MORE',
    '  - if calls are gRPC: add the HTTP filter envoy.filters.http.grpc_stats, else failed calls under HTTP 200 count as successes',
  ]);
  expect(out.join('\n')).not.toContain('hunter2');
});

test('as JSON, with the rules of a configuration, and every stat on demand', async () => {
  const brief = await explain('good.txt', '--output=json', '--config.file=rules.yaml');
  const answer = JSON.parse(brief.out.join('\n'));
  expect(answer.clusters).toEqual([
    { name: 'reviews', is: 'peer', by: 'peers of the configuration', service: 'lookiews', namespace: '' },
  ]);
  expect(answer.stats).toBeUndefined();
  const whole = await explain('good.txt', '--output=json', '--all');
  expect(JSON.parse(whole.out.join('\n')).stats).toHaveLength(6);
});

test('buckets of a real Envoy, by the content of a file', async () => {
  const { out } = await explain('rich.json.gz', '--output=json');
  expect(JSON.parse(out.join('\n'))).toMatchObject({
    answer: { form: 'json' },
    precision: { value: 'buckets', from: 'cumulative buckets' },
  });
});

test('secrets in names are left out', async () => {
  const { out } = await explain('secrets.txt', '--all');
  expect(out.join('\n')).toContain('https_//…@db.example_443');
  expect(out.join('\n')).not.toContain('hunter2');
});

test.for<[text: string, left: string]>([
  ['http://me:hunter2@host:1/x', 'http://…@host:1/x'],
  ['/stats?token=hunter2&x', '/stats?…'],
  ['a db_password=hunter2, b', 'a db_password=…, b'],
  ['x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln y', 'x … y'],
  ['AKIAIOSFODNN7EXAMPLE', '…'],
  [
    'web.default.dc1.internal.11111111-2222-3333-4444-555555555555.consul',
    'web.default.dc1.internal.11111111-2222-3333-4444-555555555555.consul',
  ],
])('of %j is left %j', ([text, left]) => {
  expect(withoutSecrets(text)).toBe(left);
});

test('a hostile name is cleaned in no time', () => {
  const before = process.threadCpuUsage();
  for (const part of ['a-', '-eyJ', '//', '?a', 'password', '@', 'token=', '//a'])
    for (let i = 0; i < 100; i++) withoutSecrets(part.repeat(4096 / part.length));
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(2000);
});

test.for<[args: string[], line: string]>([
  [['empty.txt'], "empty.txt: not Envoy's /stats: it is empty"],
  [['page.html'], "page.html: not Envoy's /stats: it is a web page"],
  [['words.txt'], 'words.txt: not Envoy\'s /stats: line 1 is not one of Envoy\'s /stats: "these are words"'],
  [['none.txt'], 'none.txt: no such file; write the path of a saved answer, or a target such as 10.0.0.5:9901'],
  [['sub'], 'sub: is a folder; give the path of a saved answer of /stats'],
  [['cut.gz'], 'cut.gz: not a whole gzip file'],
  [['info.json'], 'info.json: the answer of /server_info; give it with --server-info, beside one of /stats'],
  [['good.txt', '--server-info=good.txt'], 'good.txt: not an answer of /server_info'],
  [['good.txt', '--server-info=none'], 'none: no such file; check the path'],
  [['good.txt', '--label=a'], '--label=a: not a label; write --label=service=checkout'],
  [['good.txt', '--config.file=bad.yaml'], 'bad.yaml:1: peerz: unknown key; did you mean `peers`?'],
  [['large.txt', '--config.file=rules.yaml'], 'large.txt: larger than scrape.body_limit (1048576 bytes)'],
  [['host:x'], '"x" is not a port; a port is a number from 1 to 65535 (and there is no such file)'],
  [['http://me:hunter2@host:9901'], 'a target cannot carry a user name or a password; leave out what is before @'],
  [[], "error: missing required argument 'target|file'"],
])('%j fails in one line', async ([args, line]) => {
  expect(await explain(...args)).toEqual({ code: 1, out: [], err: [line] });
});

test('a target is asked as it is scraped', async () => {
  const admin = await startFakeAdmin(healthy);
  const { code, out } = await explain(`http://${admin.text}/`, '--output=json');
  await admin.stop();
  expect(code).toBe(0);
  expect(admin.asked).toEqual(['stats', 'info', 'managers', CLUSTERS_PATH, LISTENERS_PATH]);
  expect(JSON.parse(out.join('\n'))).toMatchObject({
    target: admin.text,
    envoyVersion: '1.40.0',
    identity: { service: { value: 'checkout', from: 'node.cluster of /server_info' } },
    asked: [
      { what: '/stats as text', status: 200 },
      { what: '/server_info', status: 200 },
      { what: '/stats of idle connection managers', status: 200 },
      { what: '/clusters as JSON', status: 200 },
      { what: '/listeners', status: 200 },
    ],
    grpcFailures: { value: 'clusters' },
    hosts: [
      {
        cluster: 'reviews',
        address: '10.0.0.7:80',
        service: 'reviews',
        region: 'eu',
        zone: 'eu-1',
        answered: 9,
        failed: 3,
      },
    ],
  });
});

test('what the hosts of its clusters add is a table of its own', async () => {
  const admin = await startFakeAdmin(healthy);
  const { out } = await explain(admin.text);
  await admin.stop();
  const start = out.indexOf('HOSTS, BY /clusters');
  expect(out.slice(start + 1, start + 3).map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['CLUSTER', 'HOST', 'SERVICE', 'BY', 'REGION', 'ZONE', 'ANSWERED', 'FAILED'],
    ['reviews', '10.0.0.7:80', 'reviews', 'the cluster', 'eu', 'eu-1', '9', '3'],
  ]);
});

test('a target gets the labels that the configuration gives it', async () => {
  const admin = await startFakeAdmin(healthy);
  writeFileSync(
    join(folder, 'labelled.yaml'),
    `discovery: { static: [{ targets: ["${admin.text}"], labels: { service: shop, zone: a } }] }\n`,
  );
  const { out } = await explain(admin.text, '--output=json', '--config.file=labelled.yaml', '--label=zone=b');
  await admin.stop();
  const { service, zone } = JSON.parse(out.join('\n')).identity;
  expect({ service, zone }).toEqual({
    service: { value: 'shop', from: 'label service' },
    zone: { value: 'b', from: 'label zone' },
  });
});

test('what a target refused is told', async () => {
  const admin = await startFakeAdmin((request, response) => sendText(response, 'no', request.url === '/' ? 200 : 403));
  const ended = await explain(admin.text);
  await admin.stop();
  expect(ended).toEqual({
    code: 1,
    out: [],
    err: ['Envoy forbids /stats (403): allow it in admin.allow_paths, with "prefix: /stats?"'],
  });
});

test('where nothing listens', async () => {
  const admin = await startFakeAdmin(healthy);
  await admin.stop();
  const { code, err } = await explain(admin.text);
  expect({ code, err }).toEqual({
    code: 1,
    err: [
      `nothing listens at ${admin.text}: is Envoy running, and is its admin port open to the collector? One that is bound to 127.0.0.1 is open to its own pod or machine alone`,
    ],
  });
});

test('a target is asked with the TLS and the token that the configuration gives it', async () => {
  const { address, asked } = await startFakeTlsAdmin();
  const target = `https://127.0.0.1:${address.port}`;
  const config = {
    scrape: { auth: { bearer_token: 't0' } },
    discovery: {
      static: [{ targets: [target], labels: { region: 'eu' }, tls: { ca_file: tlsFile('ca.crt') } }],
    },
  };
  writeFileSync(join(folder, 'tls.yaml'), JSON.stringify(config));
  const { code, out, err } = await explain(target, '--config.file=tls.yaml');
  expect([code, err]).toEqual([0, []]);
  expect(out.join('\n')).toMatch(/region +eu +label region/);
  expect(new Set(asked.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer t0']));
});
