import { copyFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import type { ClientAuthType, WebTlsConfig } from '../../server/config/web-config.ts';
import { namesOf } from '../../server/web-server/client-certificates.ts';
import { FileChanges } from '../../server/web-server/file-changes.ts';
import { readTlsMaterial } from '../../server/web-server/tls-files.ts';
import { WebServer, type WebServerOptions } from '../../server/web-server/web-server.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { fixture, fixtureText } from './tls-fixtures.ts';

const TLS: WebTlsConfig = {
  certFile: fixture('server.crt'),
  keyFile: fixture('server.key'),
  clientAuthType: 'NoClientCert',
  clientAllowedSans: [],
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  cipherSuites: [],
  curves: [],
  preferServerCiphers: true,
};

async function started(options: Partial<WebServerOptions> = {}): Promise<WebServer> {
  const server = new WebServer({
    handler: (_, response) => response.end('ok'),
    limits: { connections: 10 },
    ...options,
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  return server;
}

const secured = (tls: Partial<WebTlsConfig>) => {
  const config = { ...TLS, ...tls };
  return started({ tls: { config, material: readTlsMaterial(config) } });
};

/** What is answered, with the version of TLS and the suite; or the code of what went wrong. */
async function asked(url: string, options: object = {}) {
  return new Promise<{ body: string; version?: string | null; suite?: string }>((resolve) => {
    const asking = request(url, { ca: fixtureText('ca.crt'), agent: false, ...options }, async (response) => {
      const socket = response.socket as TLSSocket;
      const told = {
        version: socket.getProtocol(),
        suite: socket.getCipher().name,
      };
      resolve({ body: await text(response), ...told });
    });
    asking.on('error', (error: NodeJS.ErrnoException) => resolve({ body: error.code ?? error.message }));
    asking.end();
  });
}

test.each<[tls: Partial<WebTlsConfig>, client: object, answer: object]>([
  [{}, {}, { body: 'ok', version: 'TLSv1.3' }],
  [{}, { maxVersion: 'TLSv1.2' }, { body: 'ok', version: 'TLSv1.2' }],
  [{ minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }, { body: 'EPROTO' }],
  [{ maxVersion: 'TLSv1.2' }, {}, { version: 'TLSv1.2' }],
  [
    { cipherSuites: ['ECDHE-RSA-AES256-GCM-SHA384'], curves: ['secp384r1'] },
    { maxVersion: 'TLSv1.2' },
    { suite: 'ECDHE-RSA-AES256-GCM-SHA384' },
  ],
  [{ cipherSuites: ['ECDHE-RSA-AES256-GCM-SHA384'] }, {}, { version: 'TLSv1.3' }],
])('TLS with %j, to a client with %j', async (tls, client, answer) => {
  const server = await secured(tls);
  expect(await asked(server.url, client)).toMatchObject(answer);
});

const OWN = { cert: fixtureText('client.crt'), key: fixtureText('client.key') };
const verified = { clientCaFile: fixture('ca.crt') };
const stranger = { clientCaFile: fixture('named.crt') };

test.each<[type: ClientAuthType, tls: Partial<WebTlsConfig>, without: boolean, withOne: boolean]>([
  ['NoClientCert', {}, true, true],
  ['RequestClientCert', {}, true, true],
  ['RequireAnyClientCert', {}, false, true],
  ['VerifyClientCertIfGiven', verified, true, true],
  ['VerifyClientCertIfGiven', stranger, true, false],
  ['RequireAndVerifyClientCert', verified, false, true],
  ['RequireAndVerifyClientCert', stranger, false, false],
  ['RequireAndVerifyClientCert', { ...verified, clientAllowedSans: ['shop.test'] }, false, false],
])(
  '%s with %j lets in clients without a certificate: %s, and with one: %s',
  async (clientAuthType, tls, ...expected) => {
    const server = await secured({ clientAuthType, ...tls });
    const answers = [await asked(server.url), await asked(server.url, OWN)];
    expect(answers.map(({ body }) => body === 'ok')).toEqual(expected);
  },
);

test('names of a certificate', () => {
  expect(namesOf('DNS:a.test, IP Address:10.0.0.1, URI:"spiffe://a,b", email:a@b')).toEqual([
    'a.test',
    '10.0.0.1',
    'spiffe://a,b',
    'a@b',
  ]);
  expect(namesOf(undefined)).toEqual([]);
});

/** A name that only the other certificate is for. */
const ELSEWHERE = { servername: 'elsewhere.test' };

test('a new certificate counts for new connections', async () => {
  const server = await secured({});
  const renewed = { ...TLS, certFile: fixture('named.crt') };
  expect(await asked(server.url, ELSEWHERE)).toEqual({ body: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  server.setTls(renewed, readTlsMaterial(renewed));
  expect(await asked(server.url, ELSEWHERE)).toMatchObject({ body: 'ok' });
});

test.each<[tls: Partial<WebTlsConfig>, error: RegExp]>([
  [{ certFile: '/nowhere.crt' }, /^\/nowhere\.crt cannot be read \(ENOENT\): check the path and its permissions$/],
  [
    { certFile: fixture('server.key') },
    /server\.key is not a PEM file of a certificate: it has no such -----BEGIN line$/,
  ],
  [{ keyFile: fixture('client.key') }, /the key is not that of the certificate$/],
  [{ clientCaFile: fixture('README.md') }, /README\.md is not a PEM file of a certificate/],
])('files that can not be used are told: %j', (tls, error) => {
  expect(() => readTlsMaterial({ ...TLS, ...tls })).toThrow(error);
});

test('a file that changes, comes or goes is told once', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'a.crt');
  let changes = 0;
  const watched = new FileChanges({ onChange: () => changes++ });
  onTestFinished(() => watched.stop());
  watched.watch([file]);
  await watched.look();
  expect(changes).toBe(0);
  copyFileSync(fixture('server.crt'), file);
  await Promise.all([watched.look(), watched.look()]);
  expect(changes).toBe(1);
  writeFileSync(file, 'shorter');
  await watched.look();
  await watched.look();
  expect(changes).toBe(2);
});

const QUICK = { headersTimeout: 150, requestTimeout: 150, idleTimeout: 300, connectionsCheckingInterval: 50 };

test.each([
  ['nothing', ''],
  ['half a line', 'GET /'],
  ['headers without end', 'GET / HTTP/1.1\r\nhost: x\r\n'],
  ['a body without end', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n'],
])('a client that sends %s is cut off', async (_, sent) => {
  const server = await started({ times: QUICK });
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.write(sent);
  expect(await text(socket)).toMatch(/^(?:HTTP\/1\.1 (?:408 |200 )|$)/);
});

test('a head of more than 16 kB is refused', async () => {
  const server = await started();
  const answer = await fetch(`${server.url}/?${'a'.repeat(17_000)}`);
  expect(answer.status).toBe(431);
});

test('connections above the limit are closed at once, and those there go on', async () => {
  const server = await started({ limits: { connections: 2 } });
  const port = Number(new URL(server.url).port);
  const open = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  await Promise.all(open.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  const third = connect(port, '127.0.0.1');
  third.on('error', () => {});
  await new Promise((resolve) => third.once('close', resolve));
  server.setLimits({ connections: 3 });
  expect(await (await fetch(server.url)).text()).toBe('ok');
  for (const socket of open) socket.destroy();
});

async function raw(server: WebServer, sent: string): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.write(sent);
  return text(socket);
}

test('a client that asks whether to send its body gets its answer at once, in its turn', async () => {
  const server = await started();
  const asking = 'host: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n';
  const answers = await raw(server, `GET / HTTP/1.1\r\nhost: x\r\n\r\nPOST / HTTP/1.1\r\n${asking}`);
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
});

test.each(['http://[::1/', 'x://', 'x', 'mailto:a'])(
  'the address %s is refused in words of the API',
  async (address) => {
    const server = await started();
    const answer = await raw(server, `GET ${address} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(answer.split('\r\n')[0]).toBe('HTTP/1.1 400 Bad Request');
  },
);
