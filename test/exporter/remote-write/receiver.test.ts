/** What receivers may answer, and what is made of it. */

import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../../server/config/load.ts';
import { type Outcome, Receiver, retryAfterMs } from '../../../server/exporter/remote-write/receiver.ts';
import { freePort, listening } from '../../e2e/answering-server.ts';

const running = new AbortController().signal;
const NOW = Date.UTC(2026, 0, 1);

async function serverOf(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  const { port, stop } = await listening(server, () => server.closeAllConnections());
  onTestFinished(stop);
  return `http://127.0.0.1:${port}/write?a=b`;
}

function receiverOf(url: string, more = ''): Receiver {
  const parsed = parseConfig(`remote_write: [{ url: "${url}"${more} }]`, 'conf.yaml');
  const config = 'config' in parsed ? parsed.config.remoteWrite[0] : undefined;
  if (!config) throw new Error(JSON.stringify(parsed));
  const receiver = new Receiver({ config, userAgent: 'sidelight/test', now: () => NOW });
  onTestFinished(() => receiver.close());
  return receiver;
}

const failed = (reason: string, afterMs = 0): Outcome => ({ kind: 'failed', reason, afterMs });

test.each<[answer: string, listener: RequestListener, outcome: Outcome]>([
  ['204', (_, response) => response.writeHead(204).end(), { kind: 'taken' }],
  ['200 with garbage', (_, response) => response.end('<html>'.repeat(100_000)), { kind: 'taken' }],
  ['500', (_, response) => response.writeHead(500).end('no\nmore'), failed('it answered 500: no')],
  ['429', (_, response) => response.writeHead(429, { 'retry-after': '7' }).end(), failed('it answered 429', 7000)],
  [
    '400 at length',
    (_, response) => response.writeHead(400).end(`out of order \u0007${'x'.repeat(100_000)}`),
    { kind: 'refused', reason: `it answered 400: out of order  ${'x'.repeat(186)}` },
  ],
  ['404', (_, response) => response.writeHead(404).end(), { kind: 'refused', reason: 'it answered 404' }],
  [
    'a redirect',
    (_, response) => response.writeHead(307, { location: '/elsewhere' }).end(),
    failed('it answered 307; redirects are not followed: write the address that it leads to'),
  ],
  ['nothing', (request) => request.resume(), failed('no answer within 0.2 s')],
  [
    'half a header, then nothing',
    (request) => request.socket.write('HTTP/1.1 200 OK\r\ncontent-le'),
    failed('no answer within 0.2 s'),
  ],
  ['a body without end', (_, response) => response.writeHead(500).write('busy'), failed('it answered 500')],
  ['a connection that ends', (request) => request.socket.destroy(), failed('other side closed')],
])('%s', async (_, listener, outcome) => {
  expect(await receiverOf(await serverOf(listener), ', timeout: 200ms').send(Buffer.from('body'), running)).toEqual(
    outcome,
  );
});

test('no server, and one that speaks something else', async () => {
  const port = await freePort();
  const nobody = await receiverOf(`http://127.0.0.1:${port}/`).send(Buffer.from(''), running);
  expect(nobody).toEqual(failed(`connect ECONNREFUSED 127.0.0.1:${port}`));
  const other = createTcpServer((socket) => {
    socket.on('error', () => {}).end('220 smtp ready\r\n', () => socket.destroy());
  });
  const { port: otherPort, stop } = await listening(other, () => {});
  onTestFinished(stop);
  expect(await receiverOf(`http://127.0.0.1:${otherPort}/`).send(Buffer.from(''), running)).toMatchObject({
    kind: 'failed',
  });
});

test('what is sent', async () => {
  const asked = Promise.withResolvers<object>();
  const url = await serverOf(({ method, url: path, headers }, response) => {
    asked.resolve({ method, path, headers });
    response.end();
  });
  const more = ', headers: { X-Scope-OrgID: shop }, auth: { username: a, password: b }';
  expect(await receiverOf(url, more).send(Buffer.from('body'), running)).toEqual({ kind: 'taken' });
  expect(await asked.promise).toMatchObject({
    method: 'POST',
    path: '/write?a=b',
    headers: {
      'x-scope-orgid': 'shop',
      authorization: `Basic ${Buffer.from('a:b').toString('base64')}`,
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'content-length': '4',
      'user-agent': 'sidelight/test',
      'x-prometheus-remote-write-version': '0.1.0',
    },
  });
});

test('a secret that can not be read is told, and tried again', async () => {
  const receiver = receiverOf(
    await serverOf((_, response) => response.end()),
    ', auth: { bearer_token_file: /nowhere }',
  );
  expect(await receiver.send(Buffer.from(''), running)).toEqual(
    failed('/nowhere cannot be read (ENOENT): check the path and its permissions'),
  );
});

test.each([
  ['120', 120_000],
  ['0', 0],
  ['999999999', 300_000],
  ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
  ['Thu, 01 Jan 2015 00:00:10 GMT', 0],
  ['soon', 0],
  ['', 0],
  ['-5', 0],
])('Retry-After: %s', (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});
