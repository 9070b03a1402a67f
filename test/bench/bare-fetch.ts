/** Fetching alone, through bare sockets: what no client can go below. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { copyEndings, pathOf, STATS_FORMS } from '../../server/envoy/requests.ts';

export interface BareLoad {
  readonly intervalMs: number;
  readonly seconds: number;
  readonly ports: readonly number[];
}

const PATH = pathOf(STATS_FORMS[0], { leftOut: copyEndings([], []), connectionLengths: false });
const REQUEST = Buffer.from(`GET ${PATH} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
const END = Buffer.from('\r\n0\r\n\r\n');

/** Milliseconds of CPU per answer, of every port once per interval, unread, into a buffer that is used again. */
export async function bareFetchMs({ intervalMs, seconds, ports }: BareLoad): Promise<number> {
  const buffer = Buffer.allocUnsafe(64 * 1024);
  let answers = 0;
  const callback = (count: number, bytes: Uint8Array) => {
    if (END.equals(bytes.subarray(count - END.length, count))) answers++;
    return true;
  };
  const sockets = await Promise.all(ports.map((port) => connected(port, { buffer, callback })));
  const timers: NodeJS.Timeout[] = [];
  sockets.forEach((socket, index) => {
    const begin = () => {
      socket.write(REQUEST);
      timers.push(setInterval(() => socket.write(REQUEST), intervalMs));
    };
    timers.push(setTimeout(begin, (intervalMs * index) / sockets.length));
  });
  await delay(intervalMs + 1000);
  answers = 0;
  const before = process.cpuUsage();
  await delay(seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  for (const timer of timers) clearTimeout(timer);
  for (const socket of sockets) socket.destroy();
  return (user + system) / 1000 / answers;
}

interface OnRead {
  readonly buffer: Uint8Array;
  callback(count: number, bytes: Uint8Array): boolean;
}

async function connected(port: number, onread: OnRead): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
  await once(socket, 'connect');
  return socket;
}
