import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { startTracing } from '../../server/telemetry/tracing.ts';

const RECORD = {
  target: '127.0.0.1:9901',
  at: 1_700_000_000_500,
  durationMs: 500,
  bodyBytes: 12,
  error: 'it is down',
  findings: undefined,
};

let backend: Server | undefined;

afterEach(() => {
  backend?.closeAllConnections();
  backend?.close();
});

type Received = { path: string | undefined; key: unknown; body: string }[];

async function listeningBackend(): Promise<{ url: string; received: Received }> {
  const received: Received = [];
  backend = createServer(async (request, response) => {
    received.push({ path: request.url, key: request.headers['x-api-key'], body: await bodyOf(request) });
    response.end();
  });
  await new Promise<void>((resolve) => backend?.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(backend.address() as AddressInfo).port}`, received };
}

/** Runs with these variables in place of those of the process, which the SDK reads. */
async function withEnvironment(environment: NodeJS.ProcessEnv, run: () => Promise<void>): Promise<void> {
  const before = { ...process.env };
  Object.assign(process.env, environment);
  await run();
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
}

test('work becomes spans at the backend that OTEL_EXPORTER_OTLP_ENDPOINT names', async () => {
  const { url, received } = await listeningBackend();
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_TRACES_SAMPLER: 'always_on',
  };
  await withEnvironment(environment, async () => {
    const tracing = await startTracing(process.env, '1.2.3');
    tracing.scraped(RECORD);
    tracing.ended('store round', { startedAt: 1_700_000_000_000, attributes: { 'sidelight.scrapes': 7 } });
    await tracing.stop();
  });
  expect(received.map(({ path }) => path)).toEqual(['/v1/traces']);
  for (const text of ['scrape', 'sidelight.target', '127.0.0.1:9901', 'it is down', 'store round', 'sidelight.scrapes'])
    expect(received[0]?.body).toContain(text);
});

test('the receiver of the file beats that of the environment; one piece of work in ten is told', async () => {
  const { url, received } = await listeningBackend();
  await withEnvironment({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }, async () => {
    const receiver = { url: `${url}/in/v1/traces`, protocol: 'http/protobuf', headers: { 'x-api-key': 'a, b' } };
    const tracing = await startTracing(process.env, '1.2.3', receiver);
    for (let i = 0; i < 400; i++) tracing.ended('upkeep', { startedAt: 1_700_000_000_000 });
    await tracing.stop();
  });
  expect(new Set(received.map(({ path, key }) => `${path} ${key}`))).toEqual(new Set(['/in/v1/traces a, b']));
  const told = received.flatMap(({ body }) => body.match(/upkeep/g) ?? []).length;
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThan(200);
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

test.each([
  {},
  { OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
  { OTEL_TRACES_EXPORTER: 'none' },
])('nothing is sent with %j', async (environment) => {
  const tracing = await startTracing(environment, '1.2.3');
  tracing.scraped(RECORD);
  await expect(tracing.stop()).resolves.toBeUndefined();
});
