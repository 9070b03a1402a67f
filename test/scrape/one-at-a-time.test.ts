/** A real socket server that counts what is open at once, whatever the answers do. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { SERVER_INFO_PATH } from '../../server/envoy/requests.ts';
import type { ScrapeResult } from '../../server/scrape/scrape-loop.ts';
import { eventually } from './eventually.ts';
import { FAKE_INFO, FAKE_STATS } from './fake-admin.ts';
import { managerWith, targetAt } from './scraping.ts';

interface CountingServer {
  readonly port: number;
  /** Requests that came so far. */
  readonly asked: () => number;
  readonly mostRequests: () => number;
  readonly mostSockets: () => number;
}

/** What is written and whether that is all of the answer. */
type Reply = (text: string, isAll?: boolean) => void;
type Behaviour = (reply: Reply, path: string, asked: number) => void;

async function startCounting(behave: Behaviour): Promise<CountingServer> {
  /** Requests that wait for their answer, by connection. */
  const open = new Map<Socket, number>();
  let [asked, mostRequests, mostSockets] = [0, 0, 0];
  const server = createServer((socket) => {
    open.set(socket, 0);
    mostSockets = Math.max(mostSockets, open.size);
    const reply: Reply = (text, isAll = true) => {
      if (isAll && open.has(socket)) open.set(socket, 0);
      socket.write(text);
    };
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const [, path = ''] = bytes.toString('latin1').split(' ', 2);
      open.set(socket, (open.get(socket) ?? 0) + 1);
      mostRequests = Math.max(
        mostRequests,
        [...open.values()].reduce((sum, waiting) => sum + waiting, 0),
      );
      behave(reply, path, ++asked);
    });
    for (const ending of ['end', 'close']) socket.on(ending, () => open.delete(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open.keys()) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, asked: () => asked, mostRequests: () => mostRequests, mostSockets: () => mostSockets };
}

function answer(reply: Reply, path: string): void {
  const isInfo = path === SERVER_INFO_PATH;
  const body = isInfo ? FAKE_INFO : FAKE_STATS;
  const type = isInfo ? 'application/json' : 'text/plain';
  reply(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
}

async function scraped(
  behave: Behaviour,
  slowDown: boolean,
): Promise<{ server: CountingServer; results: ScrapeResult[] }> {
  const server = await startCounting(behave);
  const results: ScrapeResult[] = [];
  const onResult = (result: ScrapeResult) => void results.push(result);
  const manager = managerWith({ onResult, slowDown, timeoutMs: 30, intervalMs: 40, clustersEvery: 1 });
  onTestFinished(() => manager.stop());
  manager.apply([targetAt({ scheme: 'http', host: '127.0.0.1', port: server.port, path: '' })]);
  return { server, results };
}

test.each<[string, Behaviour]>([
  ['never answers', () => {}],
  ['answers every other time', (reply, path, asked) => void (asked % 2 === 0 && answer(reply, path))],
  ['answers too late', (reply, path) => void setTimeout(() => answer(reply, path), 45)],
  ['begins and never ends', (reply) => reply('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1', false)],
])('a target that %s is asked one thing at a time, over one connection', async (_, behave) => {
  const { server, results } = await scraped(behave, false);
  await eventually(() => results.length).toBeGreaterThan(5);
  expect(server.asked()).toBeGreaterThan(5);
  expect(server.mostRequests()).toBe(1);
  expect(server.mostSockets()).toBe(1);
});

test('a target that is slowed down is asked for nothing but its stats, and told so', async () => {
  let slow = true;
  const paths: string[] = [];
  const { results } = await scraped((reply, path) => {
    paths.push(path);
    if (!slow) answer(reply, path);
  }, true);
  await eventually(() => results.at(-1)?.pace).toMatchObject({ slowedDown: 'it did not answer within 30ms' });
  expect(results.at(-1)?.pace?.intervalMs).toBeGreaterThan(40);
  expect(new Set(paths.map((path) => path.split('?')[0]))).toEqual(new Set(['/stats']));
  slow = false;
  await eventually(() => results.at(-1)?.pace).toEqual({ intervalMs: 40, slowedDown: '' });
});
