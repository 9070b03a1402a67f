import type { Server } from 'node:http';

/** Starts listening on loopback; rejects when the port is taken. */
export async function listen(server: Server, port: number): Promise<Server> {
  // Envoy keeps connections to its application open: closing idle ones from this side would race with requests.
  server.keepAliveTimeout = 0;
  server.listen(port, '127.0.0.1');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('listening', resolve).once('error', reject);
  await promise;
  return server;
}

/** Ends a server and its connections, busy ones too. */
export function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return closed;
}
