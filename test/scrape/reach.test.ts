import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { defaultEnvoyCache, findEnvoy } from '../../server/demo/envoy.ts';
import type { Reach } from '../../server/model/reach.ts';
import { formatTargetAddress, type TargetAddress } from '../../server/model/target.ts';
import { guardedLookup } from '../../server/reach/link-local.ts';
import { AdminClient, type AdminClientOptions } from '../../server/scrape/admin-client.ts';
import { TargetScraper } from '../../server/scrape/target-scraper.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { eventually } from './eventually.ts';
import { healthy, startFakeAdmin } from './fake-admin.ts';
import { CLIENTS_ONLY, startFakeTlsAdmin, tlsFile } from './fake-tls-admin.ts';
import { BODY_LIMIT_BYTES } from './scraping.ts';

const CA = { caFile: tlsFile('ca.crt') };
const CLIENT = { certFile: tlsFile('client.crt'), keyFile: tlsFile('client.key') };

function clientOf(
  address: TargetAddress,
  reach: Partial<Reach> = {},
  more: Partial<AdminClientOptions> = {},
): AdminClient {
  const limits = { timeoutMs: 10_000, bodyLimitBytes: BODY_LIMIT_BYTES };
  const client = new AdminClient({ address, ...limits, now: Date.now, reach: { key: '', ...reach }, ...more });
  onTestFinished(() => client.close());
  return client;
}

/** How a scrape ends: `good`, or the reason why not. */
async function outcome(client: AdminClient): Promise<string> {
  try {
    await new TargetScraper(client).scrape();
    return 'good';
  } catch (error) {
    return error instanceof Error && error.name === 'ScrapeError' ? error.message : `not a ScrapeError: ${error}`;
  }
}

describe('TLS', () => {
  test.each<[name: string, certificate: string, tls: NonNullable<Reach['tls']>, expected: string]>([
    ['an authority that is known', 'server', CA, 'good'],
    ['one that is not', 'server', {}, 'is not known: give it as ca_file under tls'],
    ['any certificate', 'named', { insecureSkipVerify: true }, 'good'],
    ['another name', 'named', CA, 'is for another name: give the name that it has as server_name under tls'],
    ['another name that is given', 'named', { ...CA, serverName: 'elsewhere.test' }, 'good'],
    ['a file that is not there', 'server', { caFile: '/nowhere/ca.crt' }, '/nowhere/ca.crt cannot be read (ENOENT)'],
    ['a file that is no PEM', 'server', { caFile: import.meta.filename }, 'is not a PEM file'],
  ])('%s', async (_, certificate, tls, expected) => {
    const { address } = await startFakeTlsAdmin(certificate);
    expect(await outcome(clientOf(address, { tls }))).toContain(expected);
  });

  test('a client certificate, where the server asks for one', async () => {
    const { address } = await startFakeTlsAdmin('server', CLIENTS_ONLY);
    expect(await outcome(clientOf(address, { tls: { ...CA, ...CLIENT } }))).toBe('good');
    expect(await outcome(clientOf(address, { tls: CA }))).toMatch(/certificate|closed the connection/);
  });

  test('towards a port that does not speak it', async () => {
    const plain = await startFakeAdmin(healthy);
    onTestFinished(() => plain.stop());
    const address: TargetAddress = { ...plain.address, scheme: 'https' };
    expect(await outcome(clientOf(address, { tls: CA }))).toContain('does not speak TLS');
  });
});

describe('authorisation', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  test.each<[name: string, auth: NonNullable<Reach['auth']>, sent: string]>([
    ['a token', { bearerToken: 't0' }, 'Bearer t0'],
    ['a name and password', { username: 'a', password: 'b:c' }, basic('a:b:c')],
    ['a name alone', { username: 'a' }, basic('a:')],
  ])('%s', async (_, auth, sent) => {
    const { address, asked } = await startFakeTlsAdmin();
    expect(await outcome(clientOf(address, { tls: CA, auth }))).toBe('good');
    expect(new Set(asked.map(({ headers }) => headers.authorization))).toEqual(new Set([sent]));
  });

  test('a token of a file, read again after a while; a file that is gone is told', async () => {
    const file = join(temporaryFolder(), 'token');
    let now = 0;
    const { address, asked } = await startFakeTlsAdmin();
    const client = clientOf(address, { tls: CA, auth: { bearerTokenFile: file } }, { now: () => now });
    expect(await outcome(client)).toBe(`${file} cannot be read (ENOENT): check the path and its permissions`);
    writeFileSync(file, 'one\n');
    expect(await outcome(client)).toBe('good');
    writeFileSync(file, 'two\n');
    now += 60_000;
    expect(await outcome(client)).toBe('good');
    expect(new Set(asked.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer one', 'Bearer two']));
    writeFileSync(file, 'a\nb\n');
    now += 60_000;
    expect(await outcome(client)).toBe(
      `${file} holds no secret: it is empty, or more than one line of printable characters`,
    );
  });

  test('a server that wants it', async () => {
    const locked = await startFakeAdmin((_, response) => void response.writeHead(401).end());
    onTestFinished(() => locked.stop());
    expect(await outcome(clientOf(locked.address))).toContain('/stats asks who we are (401)');
  });
});

test('another base address is asked in place of the target’s own, with headers of the mechanism', async () => {
  const paths: string[] = [];
  const proxy = await startFakeAdmin((request, response) => {
    paths.push(`${request.headers.authorization} ${request.url}`);
    healthy({ ...request, url: request.url?.replace('/api/pods/a:9901/proxy', '') } as typeof request, response);
  });
  onTestFinished(() => proxy.stop());
  const reach = {
    via: `http://${proxy.text}/api/pods/a:9901/proxy`,
    headers: async () => ({ authorization: 'Bearer pod' }),
  };
  expect(await outcome(clientOf({ scheme: 'http', host: '10.0.0.1', port: 9901, path: '' }, reach))).toBe('good');
  expect(paths[0]).toMatch(/^Bearer pod \/api\/pods\/a:9901\/proxy\/stats\?/);
});

describe('link-local addresses', () => {
  const REFUSED = 'is at a link-local address, where clouds keep their metadata';
  const at = (host: string): TargetAddress => ({ scheme: 'http', host, port: 1, path: '' });
  const answering = (address: string): LookupFunction =>
    guardedLookup((_, __, done) => done(null, [{ address, family: address.includes(':') ? 6 : 4 }]));

  test.each([
    '169.254.169.254',
    '169.254.0.1',
    'fe80::1',
    'febf::1',
    'fd00:ec2::254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
  ])('%s is refused', async (host) => {
    expect(await outcome(clientOf(at(host)))).toContain(REFUSED);
    expect(await outcome(clientOf(at('metadata.test'), {}, { lookup: answering(host) }))).toContain(REFUSED);
  });

  test('they are asked where that is allowed', async () => {
    const client = clientOf(at('169.254.169.254'), { allowLinkLocal: true }, { timeoutMs: 200 });
    expect(await outcome(client)).not.toContain(REFUSED);
  });

  test('a name that comes to lead to one is refused at the next connection', async () => {
    const admin = await startFakeAdmin(healthy);
    onTestFinished(() => admin.stop());
    let answer = '127.0.0.1';
    let lookups = 0;
    const lookup = guardedLookup((_, __, done) => {
      lookups++;
      done(null, [{ address: answer, family: 4 }]);
    });
    const client = clientOf({ ...admin.address, host: 'rebound.test' }, {}, { lookup });
    expect(await outcome(client)).toBe('good');
    answer = '169.254.169.254';
    expect(await outcome(client)).toBe('good');
    expect(lookups).toBe(1);
    admin.dropConnections();
    await eventually(() => outcome(client)).toContain(REFUSED);
  });

  test('IPv6 is reached', async () => {
    const admin = await startFakeAdmin(healthy, { host: '::1', port: 0 });
    onTestFinished(() => admin.stop());
    expect(await outcome(clientOf(admin.address))).toBe('good');
  });
});

test('a real Envoy’s admin behind its own TLS listener, with a client certificate', { timeout: 60_000 }, async () => {
  const binary = await findEnvoy({ env: process.env, cacheFolder: defaultEnvoyCache, log: () => {} });
  const folder = temporaryFolder();
  const file = (name: string) => ({ filename: tlsFile(name) });
  const tls = {
    '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
    require_client_certificate: true,
    common_tls_context: {
      tls_certificates: [{ certificate_chain: file('server.crt'), private_key: file('server.key') }],
      validation_context: { trusted_ca: file('ca.crt') },
    },
  };
  const tcp = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
    stat_prefix: 'admin',
    cluster: 'admin',
  };
  const pipe = join(folder, 'admin.sock');
  const bootstrap = {
    node: { id: 'tls-1', cluster: 'tls' },
    admin: { address: { pipe: { path: pipe } } },
    static_resources: {
      listeners: [
        {
          name: 'tls',
          address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
          filter_chains: [
            { transport_socket: { name: 'tls', typed_config: tls }, filters: [{ name: 'tcp', typed_config: tcp }] },
          ],
        },
      ],
      clusters: [
        {
          name: 'admin',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'admin',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: pipe } } } }] }],
          },
        },
      ],
    },
  };
  writeFileSync(join(folder, 'envoy.json'), JSON.stringify(bootstrap));
  const envoy = spawn(
    binary,
    ['-c', join(folder, 'envoy.json'), '--disable-hot-restart', '--concurrency', '1', '--log-level', 'error'],
    { stdio: 'ignore' },
  );
  onTestFinished(async () => {
    if (envoy.exitCode !== null) return;
    const ended = once(envoy, 'exit');
    envoy.kill('SIGKILL');
    await ended;
  });
  const overSocket = clientOf({ scheme: 'unix', host: '', port: 0, path: pipe });
  const listeners = () =>
    overSocket.get('/listeners?format=json').then(
      ({ body }) => String(body),
      () => '',
    );
  await expect.poll(listeners, { timeout: 40_000, interval: 50 }).toContain('port_value');
  const port = Number(/"port_value": (\d+)/.exec(await listeners())?.[1]);
  expect(await outcome(overSocket)).toBe('good');
  const address: TargetAddress = { scheme: 'https', host: '127.0.0.1', port, path: '' };
  expect(await outcome(clientOf(address, { tls: { ...CA, ...CLIENT } })), formatTargetAddress(address)).toBe('good');
  expect(await outcome(clientOf(address, { tls: CA }))).toMatch(/certificate|closed the connection/);
});
