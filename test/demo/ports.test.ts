import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DemoError } from '../../server/demo/demo-error.ts';
import { checkPortsFree, findFreePortOffset } from '../../server/demo/ports.ts';

let server: Server;
let port: number;

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  port = typeof address === 'object' ? (address?.port ?? 0) : 0;
});

afterEach(() => void server.close());

const use = (host: string, usedPort: number) => ({ host, port: usedPort, user: 'admin of service-a', where: 'a.yaml' });

test('a taken port is told with who needs it', async () => {
  await expect(checkPortsFree([use('127.0.0.1', port)])).rejects.toThrow(
    new DemoError(
      `port ${port} is taken, and admin of service-a needs it (a.yaml): end the program that has it, perhaps another demo`,
    ),
  );
});

test('an address of another machine is told', async () => {
  await expect(checkPortsFree([use('192.0.2.1', port)])).rejects.toThrow(
    `port ${port} can't be listened on (EADDRNOTAVAIL), and admin of service-a needs it (a.yaml)`,
  );
});

test('checking leaves the ports free', async () => {
  server.close();
  await once(server, 'close');
  await checkPortsFree([use('127.0.0.1', port)]);
  await checkPortsFree([use('127.0.0.1', port)]);
});

test('two askers get different offsets', async () => {
  const uses = [use('127.0.0.1', 18_000), use('127.0.0.1', 18_001)];
  const offsets = await Promise.all([findFreePortOffset(uses), findFreePortOffset(uses)]);
  expect(new Set(offsets).size).toBe(2);
  for (const offset of offsets) await checkPortsFree(uses.map((one) => ({ ...one, port: one.port + offset })));
});
