import { EventEmitter } from 'node:events';
import { beforeEach, expect, test, vi } from 'vitest';
import { type StartCollector, serve } from '../../server/cli/serve.ts';
import { startErrorLine } from '../../server/cli/start-error.ts';
import { StopSignals } from '../../server/cli/stop-signals.ts';
import { loadConfig } from '../../server/config/load.ts';
import { createLog } from '../../server/telemetry/log.ts';

let lines: string[];
let signals: EventEmitter;

beforeEach(() => {
  lines = [];
  signals = new EventEmitter();
});

function run(
  startCollector: StartCollector,
  targets: string[] = ['a:1'],
  reloads = new EventEmitter(),
): Promise<number> {
  const loaded = loadConfig(undefined, { targets });
  if ('errors' in loaded) throw new Error(loaded.errors.join());
  const log = createLog({
    level: 'info',
    format: 'text',
    output: { write: (line) => lines.push(line.replace(/^\S+ /, '').trimEnd()) },
  });
  return serve({
    config: loaded.config,
    log,
    startCollector,
    signals,
    reloads,
    err: (line) => lines.push(line),
    stopLimitMs: 20,
  });
}

const listening = 'INFO  Sidelight 0.1.0 listening on http://h:1';
const started =
  (stop: () => Promise<void>): StartCollector =>
  async () => ({ url: 'http://h:1', stop });

test.for(['SIGINT', 'SIGTERM'])('stops the collector on %s', async (signal) => {
  const stop = vi.fn(async () => {});
  const ended = run(started(stop));
  await vi.waitFor(() => expect(lines).toEqual([listening]));
  expect(stop).not.toHaveBeenCalled();
  signals.emit(signal);
  expect(await ended).toBe(0);
  expect(stop).toHaveBeenCalledOnce();
  expect(lines).toEqual([listening, 'INFO  stopping']);
});

test('SIGHUP reloads, and one while it starts counts as soon as it runs', async () => {
  const reload = vi.fn();
  const reloads = new EventEmitter();
  const start = Promise.withResolvers<void>();
  const ended = run(
    async () => {
      await start.promise;
      return { url: 'http://h:1', reload, stop: async () => {} };
    },
    ['a:1'],
    reloads,
  );
  reloads.emit('SIGHUP');
  start.resolve();
  await vi.waitFor(() => expect(reload).toHaveBeenCalledOnce());
  reloads.emit('SIGHUP');
  expect(reload).toHaveBeenCalledTimes(2);
  signals.emit('SIGTERM');
  expect(await ended).toBe(0);
});

test('a signal while it starts stops it as soon as it runs', async () => {
  const stop = vi.fn(async () => {});
  const start = Promise.withResolvers<void>();
  const ended = run(async () => {
    await start.promise;
    return { url: 'http://h:1', stop };
  });
  signals.emit('SIGTERM');
  start.resolve();
  expect(await ended).toBe(0);
  expect(stop).toHaveBeenCalledOnce();
});

test.for<[name: string, start: StartCollector]>([
  ['stop', started(() => new Promise(() => {}))],
  ['start', () => new Promise(() => {})],
])('gives up on a %s that takes too long', async ([, start]) => {
  const ended = run(start);
  signals.emit('SIGTERM');
  expect(await ended).toBe(1);
  expect(lines.at(-1)).toMatch(/^ERROR not stopped within 20 ms/);
});

test('a stop that fails', async () => {
  const ended = run(started(async () => Promise.reject(new Error('disk\nfull'))));
  signals.emit('SIGTERM');
  expect(await ended).toBe(1);
  expect(lines.at(-1)).toBe('ERROR stopping failed: disk full');
});

test('a start that fails is told in one line, without a log line', async () => {
  expect(await run(() => Promise.reject(new Error('storage.path a: not writable')))).toBe(1);
  expect(lines).toEqual(['storage.path a: not writable']);
});

test('without targets it says how to add some', async () => {
  void run(
    started(async () => {}),
    [],
  );
  await vi.waitFor(() => expect(lines).toHaveLength(2));
  expect(lines[1]).toContain('WARN  no targets yet; add them with --target=127.0.0.1:9901');
});

const listenError = (code: string, syscall = 'listen') =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall });

test.for<[name: string, error: unknown, line: string]>([
  [
    'EADDRINUSE',
    listenError('EADDRINUSE'),
    'cannot listen on [::1]:80: another program listens there; stop it, or choose another address with --web.listen-address',
  ],
  [
    'EADDRNOTAVAIL',
    listenError('EADDRNOTAVAIL'),
    'cannot listen on [::1]:80: this machine does not have that address; write one that it has, or 127.0.0.1',
  ],
  ['EACCES', listenError('EACCES'), 'cannot listen on [::1]:80: not allowed for this user; choose a port above 1023'],
  [
    'ENOTFOUND',
    listenError('ENOTFOUND', 'getaddrinfo'),
    'cannot listen on [::1]:80: the host name is not known; write an IP address',
  ],
  ['another code', listenError('EMFILE'), 'listen EMFILE'],
  ['an error of the file system', listenError('EACCES', 'open'), 'open EACCES'],
  ['no message', Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ['nothing', new Error(''), 'unknown error'],
  ['text', 'text', 'text'],
])('a start that fails with %s', ([, error, line]) => {
  expect(startErrorLine(error, { host: '::1', port: 80 })).toBe(line);
});

test('one key press counts once, a second one ends the process', () => {
  const source = new EventEmitter();
  const exit = vi.fn();
  let now = 1000;
  const heard = vi.fn();
  const stopSignals = new StopSignals({ source, now: () => now, exit });
  stopSignals.on('SIGINT', heard);
  source.emit('SIGINT');
  now += 100;
  source.emit('SIGINT');
  expect(heard).toHaveBeenCalledOnce();
  expect(exit).not.toHaveBeenCalled();
  now += 300;
  source.emit('SIGTERM');
  expect(exit).toHaveBeenCalledExactlyOnceWith(143);
});
