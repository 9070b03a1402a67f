/** A fake Alertmanager in a thread of its own: takes everything, and counts. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';

let posts = 0;
const server = createServer((request, response) => {
  posts++;
  request.resume().once('end', () => response.writeHead(200).end());
});
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
parentPort?.on('message', () => parentPort?.postMessage(posts));
