import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Metadata, ServerCredentials, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { GrpcSender } from '../../../server/exporter/otlp/grpc-sender.ts';
import type { Outcome } from '../../../server/exporter/otlp/outcome.ts';
import { freePort } from '../../e2e/answering-server.ts';
import { liveWith } from '../../live/live-targets.ts';
import { goodScrape } from '../../store/records.ts';
import { pushing } from './pushing.ts';
import { fakeGrpcReceiver, type GrpcAnswer } from './receivers.ts';

const AT = 1_700_000_000_000;
const TLS = join(import.meta.dirname, '../../fixtures/tls');
const shop = goodScrape({ target: '10.0.0.1:9901', from: AT - 1000, to: AT, flows: [{ counters: { '2xx': 3 } }] });
const live = liveWith([shop]);

/** An ExportMetricsServiceResponse with a partial success: 3 points, "too old". */
const PARTLY = Buffer.concat([Buffer.from([0x0a, 11, 0x08, 3, 0x12, 7]), Buffer.from('too old')]);

/** A google.rpc.Status with a RetryInfo of 2.5 s among its details. */
function comeBack(): Metadata {
  const text = (field: number, value: Uint8Array) =>
    Buffer.concat([Buffer.from([(field << 3) | 2, value.length]), value]);
  const duration = Buffer.from([0x08, 2, 0x10, ...[0x80, 0xca, 0xb5, 0xee, 0x01]]);
  const any = Buffer.concat([
    text(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')),
    text(2, text(1, duration)),
  ]);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.concat([Buffer.from([0x08, 8]), text(3, any)]));
  return metadata;
}

test.each(['none', 'gzip'] as const)('a push is one call, compression: %s', async (compression) => {
  const receiver = await fakeGrpcReceiver();
  const { push, outcomes } = await pushing({
    live,
    settings: { url: receiver.url, protocol: 'grpc', compression, headers: { 'x-scope-orgid': 'mesh' } },
  });
  await push(AT);
  expect(outcomes).toEqual([{ kind: 'accepted', rejected: 0, reason: '' }]);
  const [received] = receiver.received;
  expect(received?.metadata.get('x-scope-orgid')).toEqual(['mesh']);
  expect(received?.resources.map(({ attributes }) => attributes['service.name'])).toEqual(['shop', 'sidelight']);
});

test('over TLS, with an authority of its own and a client certificate', async () => {
  const pem = (name: string) => readFileSync(join(TLS, name));
  const pair = { private_key: pem('server.key'), cert_chain: pem('server.crt') };
  const receiver = await fakeGrpcReceiver(ServerCredentials.createSsl(pem('ca.crt'), [pair], true));
  const url = receiver.url.replace('http:', 'https:');
  const tls = { caFile: join(TLS, 'ca.crt'), certFile: join(TLS, 'client.crt'), keyFile: join(TLS, 'client.key') };
  const good = await pushing({ live, settings: { url, protocol: 'grpc', tls } });
  await good.push(AT);
  expect(good.outcomes).toMatchObject([{ kind: 'accepted' }]);
  const bad = await pushing({ live, settings: { url, protocol: 'grpc', intervalMs: 1 } });
  await bad.push(AT);
  expect(bad.outcomes).toMatchObject([{ kind: 'retry' }]);
  expect(receiver.received).toHaveLength(1);
});

test.each<[name: string, tls: { serverName?: string }, kind: Outcome['kind']]>([
  ['the address itself is checked', {}, 'retry'],
  ['unless a name is given', { serverName: 'elsewhere.test' }, 'accepted'],
])('a certificate for a name, at an address: %s', async (_, given, kind) => {
  const pem = (name: string) => readFileSync(join(TLS, name));
  const pair = { private_key: pem('server.key'), cert_chain: pem('named.crt') };
  const receiver = await fakeGrpcReceiver(ServerCredentials.createSsl(null, [pair]));
  const url = receiver.url.replace('http:', 'https:');
  const tls = { caFile: join(TLS, 'ca.crt'), ...given };
  const { push, outcomes } = await pushing({ live, settings: { url, protocol: 'grpc', tls, intervalMs: 1 } });
  await push(AT);
  expect(outcomes).toMatchObject([{ kind }]);
});

describe('what a receiver answers', () => {
  test.each<[name: string, answer: GrpcAnswer, outcome: Partial<Outcome>]>([
    ['yes', new Uint8Array(), { kind: 'accepted', rejected: 0 }],
    ['that it left some out', PARTLY, { kind: 'accepted', rejected: 3, reason: 'too old' }],
    [
      'nonsense',
      Buffer.from([0xff, 0xff, 0xff]),
      { kind: 'refused', reason: expect.stringContaining('address right?') },
    ],
    [
      'INVALID_ARGUMENT',
      { code: status.INVALID_ARGUMENT, details: 'no' },
      { kind: 'refused', reason: 'it answered INVALID_ARGUMENT: no' },
    ],
    ['UNIMPLEMENTED', { code: status.UNIMPLEMENTED }, { kind: 'refused' }],
    [
      'UNAVAILABLE',
      { code: status.UNAVAILABLE, details: 'busy' },
      { kind: 'retry', reason: 'it answered UNAVAILABLE: busy' },
    ],
    ['RESOURCE_EXHAUSTED', { code: status.RESOURCE_EXHAUSTED }, { kind: 'refused' }],
    ['when to come back', { code: status.RESOURCE_EXHAUSTED, metadata: comeBack() }, { kind: 'retry', afterMs: 2500 }],
  ])('%s', async (_, answer, outcome) => {
    const receiver = await fakeGrpcReceiver();
    receiver.script(answer);
    expect(await sent(receiver.url, 5000)).toMatchObject(outcome);
  });

  test('nothing: it is cut off', async () => {
    const receiver = await fakeGrpcReceiver();
    receiver.script('hang');
    expect(await sent(receiver.url, 200)).toEqual({ kind: 'retry', reason: 'no answer within 0.2 s' });
  });

  test('nobody is there', async () => {
    expect(await sent(`http://127.0.0.1:${await freePort()}`, 5000)).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('UNAVAILABLE'),
    });
  });
});

async function sent(url: string, timeoutMs: number): Promise<Outcome> {
  const sender = new GrpcSender({ settings: { url, timeoutMs, compression: 'none' }, headers: async () => ({}) });
  const outcome = await sender.send(new Uint8Array(), new AbortController().signal);
  await sender.close();
  return outcome;
}
