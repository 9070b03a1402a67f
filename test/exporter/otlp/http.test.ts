import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HttpSender } from '../../../server/exporter/otlp/http-sender.ts';
import type { Outcome } from '../../../server/exporter/otlp/outcome.ts';
import { freePort } from '../../e2e/answering-server.ts';
import { liveWith } from '../../live/live-targets.ts';
import { goodScrape } from '../../store/records.ts';
import { temporaryFolder } from '../../store/temporary-folder.ts';
import { pushing } from './pushing.ts';
import { type Answer, accepts, answers, fakeReceiver, hangs, hangsUp } from './receivers.ts';

const AT = 1_700_000_000_000;
const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const shop = goodScrape({ target: '10.0.0.1:9901', from: AT - 1000, to: AT, flows: [{ counters: { '2xx': 3 } }] });

/** An ExportMetricsServiceResponse with a partial success: 3 points, "too old". */
const PARTLY = Buffer.concat([Buffer.from([0x0a, 11, 0x08, 3, 0x12, 7]), Buffer.from('too old')]);

test('a push is one POST of protobuf with the headers that are asked for', async () => {
  const receiver = await fakeReceiver();
  const file = join(temporaryFolder(), 'key');
  writeFileSync(file, 'from a file\n');
  const { push, outcomes } = await pushing({
    live: liveWith([shop]),
    settings: {
      url: `${receiver.url}/v1/metrics`,
      compression: 'gzip',
      headers: { 'x-scope-orgid': 'mesh' },
      headerFiles: { 'x-api-key': file },
      auth: { bearerToken: 'open' },
    },
  });
  await push(AT);
  expect(receiver.received).toMatchObject([
    {
      path: '/v1/metrics',
      headers: {
        'content-type': 'application/x-protobuf',
        'content-encoding': 'gzip',
        'x-scope-orgid': 'mesh',
        'x-api-key': 'from a file',
        authorization: 'Bearer open',
      },
      resources: [{ attributes: { 'service.name': 'shop' } }, { attributes: { 'service.name': 'sidelight' } }],
    },
  ]);
  expect(outcomes).toEqual([{ kind: 'accepted', rejected: 0, reason: '' }]);
});

describe('what a receiver answers', () => {
  test.each<[name: string, answer: Answer, outcome: Partial<Outcome>]>([
    ['nothing but yes', accepts, { kind: 'accepted', rejected: 0 }],
    ['in JSON, though not asked for', answers(200, { 'content-type': 'application/json' }, '{}'), { kind: 'accepted' }],
    ['that it left some out', answers(200, PROTOBUF, PARTLY), { kind: 'accepted', rejected: 3, reason: 'too old' }],
    [
      'a web page',
      answers(200, { 'content-type': 'text/html' }, '<html>'),
      { kind: 'refused', reason: expect.stringContaining('web page') },
    ],
    [
      'nonsense',
      answers(200, PROTOBUF, Buffer.from([0xff, 0xff, 0xff])),
      { kind: 'refused', reason: expect.stringContaining('address right?') },
    ],
    [
      '400 and why',
      answers(400, {}, 'out of order\nand more'),
      { kind: 'refused', reason: 'it answered 400: out of order' },
    ],
    ['404', answers(404), { kind: 'refused', reason: 'it answered 404' }],
    ['500', answers(500, {}, 'oops'), { kind: 'refused', reason: 'it answered 500: oops' }],
    [
      'a redirect',
      answers(307, { location: 'http://127.0.0.1:1/' }),
      { kind: 'refused', reason: expect.stringContaining('redirects are not followed') },
    ],
    ['429', answers(429), { kind: 'retry', reason: 'it answered 429' }],
    ['502', answers(502), { kind: 'retry' }],
    ['503 and when', answers(503, { 'retry-after': '7' }), { kind: 'retry', afterMs: 7000 }],
    [
      '503 and a date',
      answers(503, { 'retry-after': new Date(AT + 9000).toUTCString() }),
      { kind: 'retry', afterMs: 9000 },
    ],
    ['503 and no sense', answers(503, { 'retry-after': 'soon' }), { kind: 'retry', reason: 'it answered 503' }],
    ['504', answers(504), { kind: 'retry' }],
    ['nothing, and hangs up', hangsUp, { kind: 'retry' }],
    [
      'a body that is as long as it likes',
      (response) => void response.writeHead(400).write('x'.repeat(1_000_000)),
      { kind: 'refused' },
    ],
  ])('%s', async (_, answer, outcome) => {
    const receiver = await fakeReceiver(answer);
    const sender = new HttpSender({
      settings: { url: `${receiver.url}/v1/metrics`, timeoutMs: 5000, compression: 'none' },
      headers: async () => ({}),
      now: () => AT,
    });
    const told = await sender.send(new Uint8Array(), new AbortController().signal);
    await sender.close();
    expect(told).toMatchObject(outcome);
    if (outcome.kind === 'retry' && !('afterMs' in outcome)) expect(told).not.toHaveProperty('afterMs');
    expect(receiver.received).toHaveLength(1);
  });

  test.each(['nothing at all', 'nothing, though it reads', 'half an answer'])('%s: it is cut off', async (kind) => {
    const silent = createServer((socket) => void socket.on('error', () => {}).resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const receiver = await fakeReceiver(
      kind === 'half an answer' ? (response) => void response.writeHead(200, PROTOBUF).write('x') : hangs,
    );
    const port = typeof address === 'object' ? address?.port : 0;
    const sender = new HttpSender({
      settings: {
        url: kind === 'nothing at all' ? `http://127.0.0.1:${port}/` : receiver.url,
        timeoutMs: 100,
        compression: 'none',
      },
      headers: async () => ({}),
      now: () => AT,
    });
    expect(await sender.send(new Uint8Array(10), new AbortController().signal)).toEqual({
      kind: 'retry',
      reason: 'no answer within 0.1 s',
    });
    await sender.close();
    silent.close();
  });

  test('nobody is there', async () => {
    const { push, outcomes } = await pushing({
      settings: { url: `http://127.0.0.1:${await freePort()}/`, intervalMs: 2000 },
    });
    await push(AT);
    expect(outcomes[0]).toMatchObject({ kind: 'retry', reason: expect.stringContaining('ECONNREFUSED') });
  });

  test('a secret that can not be read is told, and nothing is sent without it', async () => {
    const receiver = await fakeReceiver();
    const { push, outcomes } = await pushing({
      settings: { url: receiver.url, intervalMs: 1000, headerFiles: { 'x-api-key': join(temporaryFolder(), 'gone') } },
    });
    await push(AT);
    expect(outcomes[0]).toMatchObject({ kind: 'retry', reason: expect.stringContaining('cannot be read (ENOENT)') });
    expect(receiver.received).toEqual([]);
  });
});

describe('a push', () => {
  test('is tried again after longer and longer, the same bytes each time, until it is taken', async () => {
    const receiver = await fakeReceiver(answers(503), answers(429), hangsUp, accepts);
    const { push, waits, outcomes } = await pushing({ live: liveWith([shop]), settings: { url: receiver.url } });
    await push(AT);
    expect(waits).toEqual([750, 1500, 3000]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['retry', 'retry', 'retry', 'accepted']);
    const [first, ...others] = receiver.received.map(({ resources }) => JSON.stringify(resources));
    expect(others).toEqual([first, first, first]);
  });

  test('waits as long as the receiver asks for', async () => {
    const receiver = await fakeReceiver(answers(503, { 'retry-after': '20' }), accepts);
    const { push, waits } = await pushing({ live: liveWith([shop]), settings: { url: receiver.url } });
    await push(AT);
    expect(waits).toEqual([20_000]);
  });

  test('is given up when the next one is due, and that one waits for its time', async () => {
    const receiver = await fakeReceiver(answers(503, { 'retry-after': '100' }));
    const { exporter, waits } = await pushing({ live: liveWith([shop]), settings: { url: receiver.url } });
    expect(await exporter.pushNow()).toEqual({ isDone: false, notBefore: 100_000 });
    expect([waits, receiver.received.length]).toEqual([[], 1]);
  });

  test('goes on with the next request when one is refused', async () => {
    const many = Array.from({ length: 800 }, (_, i) =>
      goodScrape({
        target: `10.0.${i >> 8}.${i & 255}:9901`,
        from: AT - 1000,
        to: AT,
        identity: { instance: `shop-${i}` },
        flows: [{ counters: { '2xx': 1 }, latency: { 3: 1, 900: 1 } }],
      }),
    );
    const receiver = await fakeReceiver(answers(400), accepts);
    const { push, exporter } = await pushing({ live: liveWith(many), settings: { url: receiver.url } });
    await push(AT);
    expect(receiver.received.length).toBeGreaterThan(1);
    const instances = receiver.received.flatMap(({ resources }) =>
      resources.map(({ attributes }) => attributes['service.instance.id']),
    );
    expect(new Set(instances).size).toBe(801);
    const { dropped, accepted } = exporter.state;
    expect([dropped > 0, accepted > 0]).toEqual([true, true]);
  });
});

test.each<[name: string, answer: Answer]>([
  ['takes it', accepts],
  ['fails', answers(503)],
])('a collector that ends tells once more what there is, to a receiver that %s', async (_, answer) => {
  const receiver = await fakeReceiver(answer);
  const { exporter } = await pushing({ live: liveWith([shop]), settings: { url: receiver.url } });
  await exporter.stop();
  expect(receiver.received).toHaveLength(1);
});
