import { once } from 'node:events';
import { get, type IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RunningApi, startApi } from './running-api.ts';

class Refused extends Error {}

const PIECE = 'x'.repeat(32_768);
/** In pieces; the endless one is more than sockets hold for a client that does not read. */
const SIZES: Readonly<Record<string, number>> = { large: 30, long: 320, endless: 100_000 };

let api: RunningApi;
let underWay = 0;
let most = 0;

/** A large answer that counts how many are under way. */
function* large(size: number): Generator<string | undefined> {
  most = Math.max(most, ++underWay);
  try {
    for (let i = 0; i < size; i++) {
      yield PIECE;
      yield undefined;
    }
  } finally {
    underWay--;
  }
}

beforeAll(async () => {
  api = await startApi(undefined, {
    metrics: async (accept) => {
      if (accept === 'refused') throw new Refused('there are too many series');
      if (accept === 'broken') throw new Error('a secret of the inside');
      const size = SIZES[accept ?? ''];
      const pieces = size ? large(size) : ['up 1\n', undefined, 'up 2\n'].values();
      return { contentType: 'text/plain; version=0.0.4; charset=utf-8', pieces };
    },
    metricsRefusals: [Refused],
  });
});

afterAll(() => api.stop());

function ask(accept: string, encoding = 'identity'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { accept, 'accept-encoding': encoding };
    get(`${api.url}/metrics`, { headers, agent: false }, resolve).on('error', reject);
  });
}

async function bytesOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test.each([
  ['identity', undefined],
  ['gzip', 'gzip'],
  ['gzip;q=0', undefined],
  ['br, gzip;q=0.5', 'gzip'],
  ['deflate', undefined],
])('packed as the client wants it: %s', async (encoding, packed) => {
  const response = await ask('text/plain', encoding);
  const bytes = await bytesOf(response);
  expect(response.headers['content-encoding']).toBe(packed);
  expect(response.headers.vary).toBe('accept, accept-encoding');
  expect((packed ? gunzipSync(bytes) : bytes).toString()).toBe('up 1\nup 2\n');
});

test('a socket is given much at once: for each time the answer waits for it', async () => {
  const writes = vi.spyOn(ServerResponse.prototype, 'write');
  const bytes = await bytesOf(await ask('long'));
  expect([bytes.length, writes.mock.calls.length]).toEqual([320 * PIECE.length, 20]);
  writes.mockRestore();
});

test('HEAD has no body', async () => {
  const response = await fetch(`${api.url}/metrics`, { method: 'HEAD' });
  expect([response.status, await response.text()]).toEqual([200, '']);
});

test('why there is no answer is told, what went wrong inside is not', async () => {
  const refused = await ask('refused');
  expect([refused.statusCode, (await bytesOf(refused)).toString()]).toEqual([
    503,
    '{"error":{"code":"too_large","message":"there are too many series"}}',
  ]);
  const broken = await ask('broken');
  expect(broken.statusCode).toBe(500);
  expect((await bytesOf(broken)).toString()).not.toContain('secret');
});

describe('many and slow clients', () => {
  test('a hundred at once all get the whole of it, a few at a time', async () => {
    most = 0;
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const response = await ask('large', 'gzip');
        return gunzipSync(await bytesOf(response)).length;
      }),
    );
    expect(new Set(answers)).toEqual(new Set([30 * PIECE.length]));
    expect(most).toBeLessThanOrEqual(4);
    await vi.waitFor(() => expect(underWay).toBe(0));
  });

  test('one that does not read, and one that goes midway, hold up nobody', async () => {
    const stalled = await ask('endless');
    stalled.pause();
    const leaving = await ask('endless');
    await once(leaving, 'data');
    leaving.destroy();
    await vi.waitFor(() => expect(underWay).toBe(1));
    expect((await bytesOf(await ask('text/plain'))).toString()).toBe('up 1\nup 2\n');
    stalled.destroy();
    await vi.waitFor(() => expect(underWay).toBe(0));
  });

  test('one that reads a byte at a time holds up nobody, and is sent no more than sockets hold', async () => {
    const slow = connect(Number(new URL(api.url).port), '127.0.0.1');
    slow.write('GET /metrics HTTP/1.1\r\nhost: a\r\naccept: endless\r\n\r\n');
    slow.pause();
    let said = '';
    for (let i = 0; i < 20; i++) {
      if (slow.readableLength === 0) await once(slow, 'readable');
      said += String(slow.read(1));
      expect((await bytesOf(await ask('text/plain'))).toString()).toBe('up 1\nup 2\n');
    }
    expect(said).toMatch(/^HTTP\/1\.1 200 OK\r\n\w{3}$/);
    expect(underWay).toBe(1);
    slow.destroy();
    await vi.waitFor(() => expect(underWay).toBe(0));
  });

  test('a client that is not done when its own time is up is cut off', async () => {
    const headers = { accept: 'endless', 'x-prometheus-scrape-timeout-seconds': '0.2' };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${api.url}/metrics`, { headers, agent: false }, resolve).on('error', reject);
    });
    response.on('error', () => {}); // cut off in the middle, as wanted
    response.pause();
    expect(underWay).toBe(1);
    await vi.waitFor(() => expect(underWay).toBe(0));
  });
});
