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

test('a scrape becomes a span at the backend that OTEL_EXPORTER_OTLP_ENDPOINT names', async () => {
  const received: { path: string | undefined; body: string }[] = [];
  backend = createServer(async (request, response) => {
    received.push({ path: request.url, body: await bodyOf(request) });
    response.end();
  });
  await new Promise<void>((resolve) => backend?.listen(0, '127.0.0.1', resolve));
  const { port } = backend.address() as AddressInfo;
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${port}`;
  process.env.OTEL_EXPORTER_OTLP_PROTOCOL = 'http/protobuf';
  const tracing = await startTracing(process.env, '1.2.3');
  tracing.scraped(RECORD);
  await tracing.stop();
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  delete process.env.OTEL_EXPORTER_OTLP_PROTOCOL;
  expect(received.map(({ path }) => path)).toEqual(['/v1/traces']);
  for (const text of ['scrape', 'sidelight.target', '127.0.0.1:9901', 'it is down'])
    expect(received[0]?.body).toContain(text);
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
