/** An in-process HTTPS server that stands in for an Envoy's admin port behind TLS. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TargetAddress } from '../../server/model/target.ts';
import { healthy } from './fake-admin.ts';

export const TLS = join(import.meta.dirname, '../fixtures/tls');
export const tlsFile = (name: string) => join(TLS, name);
const pem = (name: string) => readFileSync(tlsFile(name), 'utf8');

export interface FakeTlsAdmin {
  readonly address: TargetAddress;
  readonly asked: IncomingMessage[];
}

/** `certificate` is a name in the fixtures: `server` is for 127.0.0.1 and envoy.test, `named` for elsewhere.test. */
export async function startFakeTlsAdmin(certificate = 'server', options: ServerOptions = {}): Promise<FakeTlsAdmin> {
  const asked: IncomingMessage[] = [];
  const server = createServer(
    { cert: pem(`${certificate}.crt`), key: pem('server.key'), ...options },
    (request, response) => {
      asked.push(request);
      healthy(request, response);
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { address: { scheme: 'https', host: '127.0.0.1', port, path: '' }, asked };
}

/** Takes only clients with a certificate of the test authority. */
export const CLIENTS_ONLY: ServerOptions = { ca: pem('ca.crt'), requestCert: true, rejectUnauthorized: true };
