import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { TargetAddress } from '../../server/model/target.ts';
import { transportError } from '../../server/scrape/scrape-error.ts';
import {
  askedFor,
  type FakeAdmin,
  type FakeAnswer,
  healthy,
  sendJson,
  sendText,
  startFakeAdmin,
  startFakeSocket,
} from './fake-admin.ts';
import { BODY_LIMIT_BYTES, failureOf, IMPATIENT_MS } from './scraping.ts';

const TIMED_OUT =
  '{target} has not answered within 250 ms (scrape.timeout): it is overloaded, or something between drops packets';
const CLOSED = '{target} closed the connection before it had answered';
const TOO_LARGE =
  'the answer is larger than scrape.body_limit (1048576 bytes): raise it, or let Envoy show less (stats_matcher)';

async function failureAt(fake: FakeAdmin, timeoutMs?: number): Promise<string> {
  const failure = await failureOf(fake.address, timeoutMs);
  await fake.stop();
  return failure.replaceAll(fake.text, '{target}');
}

/** A target that answers everything but /server_info with the same. */
const always =
  (status: number, contentType: string, body: string): FakeAnswer =>
  (request, response) => {
    if (askedFor(request) === 'info') healthy(request, response);
    else response.writeHead(status, { 'content-type': contentType }).end(body);
  };

const infoIs =
  (answer: (response: ServerResponse) => void): FakeAnswer =>
  (request, response) => {
    if (askedFor(request) === 'info') answer(response);
    else healthy(request, response);
  };

test.each<[name: string, answer: FakeAnswer, reason: string]>([
  ['hangs before its headers', () => {}, TIMED_OUT],
  ['hangs midway in its body', (_, response) => void response.writeHead(200).write('cluster.'), TIMED_OUT],
  [
    'drips a byte every 100 ms',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const drip = setInterval(() => response.write('x'), 100);
      response.on('close', () => clearInterval(drip));
    },
    TIMED_OUT,
  ],
  [
    'answers HTML',
    always(200, 'text/html', '<html>Welcome to nginx!</html>'),
    "/stats was answered with text/html instead of text/plain: is it Envoy's admin port?",
  ],
  [
    'answers without a content type',
    (_, response) => void response.end('hello'),
    "/stats was answered with no content type instead of text/plain: is it Envoy's admin port?",
  ],
  [
    'has no /stats',
    always(404, 'text/plain', 'not found'),
    "there is no /stats at this port (404): is it Envoy's admin port?",
  ],
  [
    'forbids /stats',
    always(403, 'text/plain', 'request to path /stats not allowed'),
    'Envoy forbids /stats (403): allow it in admin.allow_paths, with "prefix: /stats?"',
  ],
  [
    'fails',
    always(500, 'text/html', '<h1>Oh no…</h1>\n<pre>at main()</pre>'),
    '/stats was answered with status 500: "<h1>Oh no?</h1>"',
  ],
  ['fails without a word', always(503, 'text/plain', ''), '/stats was answered with status 503'],
  [
    'refuses every form',
    always(400, 'text/plain', 'usage: /stats?filter=pattern'),
    '/stats was answered with status 400: "usage: /stats?filter=pattern"',
  ],
  [
    'answers half a JSON',
    (request, response) => {
      if (askedFor(request) === 'stats.json') sendJson(response, '{"stats":[{"name":"server.uptime","val');
      else sendText(response, 'no', 400);
    },
    "the answer is not Envoy's /stats: the answer is not whole JSON",
  ],
  [
    'cuts a chunked body off',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).write('cluster.a.upstream_rq_2xx: 1');
      setImmediate(() => response.destroy());
    },
    CLOSED,
  ],
  [
    "answers another program's metrics",
    always(200, 'text/plain; version=0.0.4', '# HELP go_goroutines Number of goroutines.\ngo_goroutines 7\n'),
    'the answer is not Envoy\'s /stats: line 1 is not one of Envoy\'s /stats: "# HELP go_goroutines Number of goroutines."',
  ],
  ['answers nothing', always(200, 'text/plain', ''), "the answer is not Envoy's /stats: the answer is empty"],
  ['hangs at /server_info', infoIs(() => {}), TIMED_OUT],
  [
    'fails at /server_info',
    infoIs((response) => sendText(response, 'busy', 503)),
    '/server_info was answered with status 503 and no server information',
  ],
  [
    'answers something else at /server_info',
    infoIs((response) => sendJson(response, '{"status":"green"}')),
    '/server_info was answered with status 200 and no server information',
  ],
])('a target that %s is down with its reason', async (_, answer, reason) => {
  const timeoutMs = reason === TIMED_OUT ? IMPATIENT_MS : undefined;
  expect(await failureAt(await startFakeAdmin(answer), timeoutMs)).toBe(reason);
});

test.each<[name: string, onConnection: (socket: Socket) => void, reason: string]>([
  ['closes at once', (socket) => socket.destroy(), CLOSED],
  ['closes after the request', (socket) => socket.once('data', () => socket.destroy()), CLOSED],
  [
    'sends garbage',
    (socket) => socket.write(Buffer.from([0x16, 3, 1, 0, 0xff, 0xfe, 0])),
    '{target} does not speak HTTP/1.1: is it the admin port?',
  ],
  [
    'greets as SSH does',
    (socket) => socket.write('SSH-2.0-OpenSSH_9.7\r\n'),
    '{target} does not speak HTTP/1.1: is it the admin port?',
  ],
  [
    'sends huge headers',
    (socket) => socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nx-filler: ${'x'.repeat(100_000)}\r\n`)),
    '{target} answers with headers of over 16 kB: it is not an Envoy',
  ],
  [
    'closes midway in a body of known length',
    (socket) =>
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 99\r\n\r\na: 1'),
      ),
    CLOSED,
  ],
])('a target that %s is down with its reason', async (_, onConnection, reason) => {
  expect(await failureAt(await startFakeSocket(onConnection))).toBe(reason);
});

test('a target that refuses connections is down with its reason', async () => {
  const fake = await startFakeAdmin(healthy);
  await fake.stop();
  expect(await failureAt(fake)).toBe(
    'nothing listens at {target}: is Envoy running, and is its admin port open to the collector? One that is bound to 127.0.0.1 is open to its own pod or machine alone',
  );
});

test('a redirect is not followed', async () => {
  const other = await startFakeAdmin(healthy);
  const fake = await startFakeAdmin((_, response) => {
    response.writeHead(302, { location: `http://${other.text}/stats` }).end();
  });
  expect(await failureAt(fake)).toBe("/stats is redirected (302), which is not followed: is it Envoy's admin port?");
  expect(other.connections()).toBe(0);
  await other.stop();
});

test('of a body of 100 MB no more than the limit is read', async () => {
  const chunk = Buffer.alloc(64 * 1024, 'cluster.a.upstream_rq_2xx: 1\n');
  const before = process.memoryUsage().arrayBuffers;
  let sent = 0;
  let mostMemory = 0;
  const fake = await startFakeAdmin((_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    const send = () => {
      while (sent < 100e6) {
        sent += chunk.length;
        mostMemory = Math.max(mostMemory, process.memoryUsage().arrayBuffers - before);
        if (!response.write(chunk)) return;
      }
      response.end();
    };
    response.on('drain', send);
    send();
  });
  expect(await failureAt(fake)).toBe(TOO_LARGE);
  expect(mostMemory).toBeLessThan(BODY_LIMIT_BYTES + 256 * 1024);
  expect(sent).toBeLessThan(50e6);
});

test('a body of just the limit is taken', async () => {
  const line = 'http.ingress.downstream_rq_2xx: 1\n';
  const filler = `text: "${'x'.repeat(BODY_LIMIT_BYTES - line.length - 9)}"\n`;
  const fake = await startFakeAdmin((request, response) => {
    if (askedFor(request) === 'stats') sendText(response, line + filler);
    else healthy(request, response);
  });
  expect(line.length + filler.length).toBe(BODY_LIMIT_BYTES);
  expect(await failureAt(fake)).toBe('it was good');
});

const tcp: TargetAddress = { scheme: 'http', host: 'sidecar.test', port: 9901, path: '' };
const unix: TargetAddress = { scheme: 'unix', host: '', port: 0, path: '/run/envoy.sock' };

test.each<[code: string, address: TargetAddress, reason: string]>([
  ['ENOTFOUND', tcp, 'the name of sidecar.test:9901 is not known to DNS'],
  ['EAI_AGAIN', tcp, 'DNS did not answer for sidecar.test:9901'],
  ['EHOSTUNREACH', tcp, 'there is no route to sidecar.test:9901'],
  ['ENETUNREACH', tcp, 'there is no route to sidecar.test:9901'],
  ['ECONNRESET', tcp, 'sidecar.test:9901 closed the connection before it had answered'],
  ['EPIPE', tcp, 'sidecar.test:9901 closed the connection before it had answered'],
  ['ETIMEDOUT', tcp, TIMED_OUT.replace('{target}', 'sidecar.test:9901')],
  ['UND_ERR_CONNECT_TIMEOUT', tcp, TIMED_OUT.replace('{target}', 'sidecar.test:9901')],
  ['ENOENT', unix, 'there is no socket at unix:/run/envoy.sock: is Envoy running, and is the path right?'],
  ['EACCES', unix, 'the collector may not open unix:/run/envoy.sock: check its permissions'],
  ['EWHATEVER', tcp, 'sidecar.test:9901: oops'],
])('%s is told in plain words', (code, address, reason) => {
  const error = Object.assign(new Error('oops'), { code });
  expect(transportError(error, { address, timeoutMs: 250, timedOut: false }).message).toBe(reason);
});
