import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { FAKE_STATS, type FakeAdmin, startFakeSocket } from './fake-admin.ts';
import { drips, endlessly, says } from './hostile-sockets.ts';
import { BODY_LIMIT_BYTES, failureOf, IMPATIENT_MS, scraperOf } from './scraping.ts';

const CLOSED = '{target} closed the connection before it had answered';
const NOT_HTTP = '{target} does not speak HTTP/1.1: is it the admin port?';
const BIG_HEAD = '{target} answers with headers of over 16 kB: it is not an Envoy';
const TIMED_OUT =
  '{target} has not answered within 250 ms (scrape.timeout): it is overloaded, or something between drops packets';
const TOO_LARGE =
  'the answer is larger than scrape.body_limit (1048576 bytes): raise it, or let Envoy show less (stats_matcher)';
const CRUMBS = '{target} answers in thousands of pieces of a few bytes: it is not an Envoy';
const COMPRESSED = '{target} compresses its answer, which it was not asked to: what is between it and the collector?';
const NO_END =
  '{target} does not tell where its answer ends (neither content-length nor chunked): is it the admin port?';

const OK = 'HTTP/1.1 200 OK\r\n';
const TEXT = `${OK}content-type: text/plain\r\n`;
const CHUNKED = `${TEXT}transfer-encoding: chunked\r\n\r\n`;
const HEX = FAKE_STATS.length.toString(16);

async function failureAt(fake: FakeAdmin, timeoutMs?: number): Promise<string> {
  const failure = await failureOf(fake.address, timeoutMs);
  await fake.stop();
  return failure.replaceAll(fake.text, '{target}');
}

test.each<[name: string, onConnection: (socket: Socket) => void, reason: string]>([
  ['sends headers without end', endlessly(OK, 'x-filler: 1\r\n'), BIG_HEAD],
  ['sends one header without end', endlessly(`${OK}x: `, 'x'), BIG_HEAD],
  ['sends 100,000 headers', says(`${OK}${'a: b\r\n'.repeat(100_000)}\r\n`), BIG_HEAD],
  ['sends a header of 2 MB', says(`${OK}x: ${'y'.repeat(2_000_000)}\r\ncontent-length: 0\r\n\r\n`), BIG_HEAD],
  ['says 100 Continue without end', endlessly('', 'HTTP/1.1 100 Continue\r\n\r\n'), BIG_HEAD],
  ['sends trailers without end', endlessly(`${CHUNKED}0\r\n`, 'x: y\r\n'), BIG_HEAD],
  ['switches protocols', says('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n'), NOT_HTTP],
  ['speaks HTTP/2', says('HTTP/2 200\r\n\r\n'), NOT_HTTP],
  ['sends a status of two digits', says('HTTP/1.1 20 OK\r\n\r\n'), NOT_HTTP],
  ['sends a header without a colon', says(`${OK}hello\r\n\r\n`), NOT_HTTP],
  ['sends a header with a blank before its colon', says(`${OK}content-length : 0\r\n\r\n`), NOT_HTTP],
  ['folds a header', says(`${OK}x: a\r\n b\r\n\r\n`), NOT_HTTP],
  ['sends two lengths', says(`${TEXT}content-length: 1\r\ncontent-length: 2\r\n\r\nab`), NOT_HTTP],
  ['sends a length that is none', says(`${TEXT}content-length: 1e3\r\n\r\nab`), NOT_HTTP],
  ['sends a negative length', says(`${TEXT}content-length: -1\r\n\r\nab`), NOT_HTTP],
  [
    'sends a length beside chunks',
    says(`${TEXT}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
    NOT_HTTP,
  ],
  ['sends another coding', says(`${TEXT}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`), NOT_HTTP],
  ['sends a compressed body', says(`${TEXT}content-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x8b`), COMPRESSED],
  [
    'sends a body up to the end of the connection',
    (socket) => socket.once('data', () => socket.end(`${TEXT}\r\n${FAKE_STATS}`)),
    NO_END,
  ],
  ['promises more than the limit', says(`${TEXT}content-length: ${BODY_LIMIT_BYTES + 1}\r\n\r\n`), TOO_LARGE],
  ['promises a chunk of more than the limit', says(`${CHUNKED}fffffff\r\n`), TOO_LARGE],
  ['sends a body without end', endlessly(`${CHUNKED}`, '400\r\n'.concat('x'.repeat(1024), '\r\n')), TOO_LARGE],
  ['sends crumbs', endlessly(CHUNKED, '1\r\nx\r\n'), CRUMBS],
  ['sends a chunk without a length', says(`${CHUNKED}\r\nabc\r\n0\r\n\r\n`), NOT_HTTP],
  ['sends a chunk whose length is no number', says(`${CHUNKED}xyz\r\nabc\r\n0\r\n\r\n`), NOT_HTTP],
  ['sends a negative chunk', says(`${CHUNKED}-3\r\nabc\r\n0\r\n\r\n`), NOT_HTTP],
  ['sends a chunk whose length has 20 digits', says(`${CHUNKED}${'f'.repeat(20)}\r\n`), NOT_HTTP],
  ['sends a chunk line without end', endlessly(CHUNKED, '0'), NOT_HTTP],
  ['sends a chunk longer than it says', says(`${CHUNKED}2\r\nabc\r\n0\r\n\r\n`), NOT_HTTP],
  ['ends chunk lines without a carriage return', says(`${CHUNKED}3\nabc\n0\n\n`), NOT_HTTP],
  ['sends a chunk shorter than it says', says(`${CHUNKED}fff\r\nabc\r\n0\r\n\r\n`), TIMED_OUT],
  ['leaves out the last chunk', says(`${CHUNKED}${HEX}\r\n${FAKE_STATS}\r\n`), TIMED_OUT],
  [
    'closes before the last chunk',
    (socket) => socket.once('data', () => socket.end(`${CHUNKED}${HEX}\r\n${FAKE_STATS}\r\n`)),
    CLOSED,
  ],
  ['closes midway in its headers', (socket) => socket.once('data', () => socket.end(OK)), CLOSED],
  ['sends its headers a byte a time', (socket) => socket.once('data', () => drips('', TEXT, 40)(socket)), TIMED_OUT],
])('a target that %s is down with its reason', async (_, onConnection, reason) => {
  const timeoutMs = reason === TIMED_OUT ? IMPATIENT_MS : undefined;
  expect(await failureAt(await startFakeSocket(onConnection), timeoutMs)).toBe(reason);
});

/** What the client gets of a server that sends this. */
async function bodyOf(onConnection: (socket: Socket) => void): Promise<{ body: string; connections: number }> {
  const fake = await startFakeSocket(onConnection);
  const { client } = scraperOf(fake.address);
  try {
    await client.get('/stats');
    return { body: (await client.get('/stats')).body.toString(), connections: fake.connections() };
  } finally {
    await client.close();
    await fake.stop();
  }
}

test.each<[name: string, onConnection: (socket: Socket) => void, connections: number]>([
  ['in one chunk', says(`${CHUNKED}${HEX}\r\n${FAKE_STATS}\r\n0\r\n\r\n`), 1],
  ['in chunks with extensions and trailers', says(`${CHUNKED}${HEX};a=b\r\n${FAKE_STATS}\r\n0\r\nx: y\r\n\r\n`), 1],
  ['with capital letters', says(`${OK}Content-Length: ${FAKE_STATS.length}\r\n\r\n${FAKE_STATS}`), 1],
  [
    'after interim answers',
    says(`HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${CHUNKED}${HEX}\r\n${FAKE_STATS}\r\n0\r\n\r\n`),
    1,
  ],
  [
    'by HTTP/1.0, over a connection of its own',
    says(`HTTP/1.0 200 OK\r\ncontent-length: ${FAKE_STATS.length}\r\n\r\n${FAKE_STATS}`),
    2,
  ],
  [
    'with connection: close',
    says(`${OK}connection: close\r\ncontent-length: ${FAKE_STATS.length}\r\n\r\n${FAKE_STATS}`),
    2,
  ],
  [
    'twice, of which the second is of no request',
    says(`${OK}content-length: ${FAKE_STATS.length}\r\n\r\n${FAKE_STATS}`.repeat(2)),
    2,
  ],
  ['longer than its content-length', says(`${OK}content-length: ${FAKE_STATS.length}\r\n\r\n${FAKE_STATS}more`), 2],
])('an answer %s is taken', async (_, onConnection, connections) => {
  expect(await bodyOf(onConnection)).toEqual({ body: FAKE_STATS, connections });
});

test('what comes without a request is no answer to the next one', async () => {
  const sockets: Socket[] = [];
  const answer = (body: string) => `${OK}content-length: ${body.length}\r\n\r\n${body}`;
  const fake = await startFakeSocket((socket) => {
    sockets.push(socket);
    socket.on('data', () => socket.write(answer('asked for')));
  });
  const { client } = scraperOf(fake.address);
  expect((await client.get('/stats')).body.toString()).toBe('asked for');
  const closed = new Promise((resolve) => sockets[0]?.once('close', resolve));
  sockets[0]?.write(answer('not asked for'));
  await closed;
  expect((await client.get('/stats')).body.toString()).toBe('asked for');
  expect(fake.connections()).toBe(2);
  await client.close();
  await fake.stop();
});

test('a client that was closed asks no more', async () => {
  const fake = await startFakeSocket(says(`${OK}content-length: 0\r\n\r\n`));
  const { client } = scraperOf(fake.address);
  await client.get('/stats');
  await client.close();
  await expect(client.get('/stats')).rejects.toThrow('the client was closed');
  await fake.stop();
});
