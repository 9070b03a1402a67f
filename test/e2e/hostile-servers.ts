/** Program of its own: the hostile servers, so that what they burn is not the collector's nor the test's. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { AFTER_CHANGE, BEFORE_CHANGE, HOSTILE, type Hostile } from './hostile-kinds.ts';

/** What it tells: ports in the order of the kinds, then that of the redirect and of the port that changes its owner. */
export interface HostilePorts {
  readonly kinds: readonly number[];
  readonly redirect: number;
  readonly changing: number;
}

/** What it is asked: to give the port to another process, or how often the redirect was followed. */
export type HostileOrder = 'change' | 'followed';

const TLS = join(import.meta.dirname, '../fixtures/tls');

async function listening(server: Server, port = 0): Promise<number> {
  server.on('connection', (socket: Socket) => socket.on('error', () => {}));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function serverOf({ serves }: Hostile): Server {
  if ('socket' in serves) return createTcp(serves.socket);
  if ('http' in serves) return createHttp(serves.http);
  const pem = (name: string) => readFileSync(join(TLS, name));
  return createHttps({ cert: pem('server.crt'), key: pem('server.key') }, serves.tls);
}

let followed = 0;
const elsewhere = await listening(
  createHttp((_, response) => {
    followed++;
    response.end();
  }),
);
const redirect: RequestListener = (request, response) =>
  void response.writeHead(302, { location: `http://127.0.0.1:${elsewhere}${request.url}` }).end();

const first = createHttp(BEFORE_CHANGE);
const changing = await listening(first);
const ports: HostilePorts = {
  kinds: await Promise.all(HOSTILE.map((kind) => listening(serverOf(kind)))),
  redirect: await listening(createHttp(redirect)),
  changing,
};

process.on('message', async (order: HostileOrder) => {
  if (order === 'followed') {
    process.send?.({ followed });
    return;
  }
  const closed = once(first, 'close');
  first.close();
  first.closeAllConnections();
  await closed;
  await listening(createHttp(AFTER_CHANGE), changing);
  process.send?.({ changed: true });
});
process.on('disconnect', () => process.exit());
process.send?.(ports);
