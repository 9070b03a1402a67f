import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DemoError } from './demo-error.ts';
import type { Bootstrap } from './mesh-folder.ts';
import { type Ending, endingOf } from './process-end.ts';
import type { Watchdog } from './watchdog.ts';

export interface EnvoyProcess extends Ending {
  readonly pid: number | undefined;
  readonly logPath: string;
  /** Resolves when /ready says LIVE; rejects with the line of Envoy's log that says why it did not start. */
  readonly ready: Promise<void>;
}

export interface EnvoyProcessOptions {
  binary: string;
  bootstrap: Bootstrap;
  /** Holds the bootstrap's file; Envoy's working folder, and where its log goes. */
  folder: string;
  watchdog: Watchdog;
}

const readyWithinMs = 20_000;
const readyPollMs = 25;

export function startEnvoyProcess({ binary, bootstrap, folder, watchdog }: EnvoyProcessOptions): EnvoyProcess {
  const { instance, file, admin } = bootstrap;
  const logPath = join(folder, `${instance}.log`);
  const log = openSync(logPath, 'w');
  const flags = ['--disable-hot-restart', '--concurrency', '1', '--log-level', 'warning'];
  const child = spawn(binary, ['-c', file, ...flags], {
    cwd: folder,
    detached: true, // not ended by Ctrl-C in a terminal, but in its turn
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const { pid } = child;
  const ending = endingOf(child);
  let isGone = false;
  if (pid !== undefined) watchdog.watch(pid);
  void ending.exited.then(() => {
    isGone = true;
    if (pid !== undefined) watchdog.forget(pid);
  });
  const describe = () => failure(binary, instance, logPath);
  return { ...ending, pid, logPath, ready: waitUntilLive({ admin, isGone: () => isGone, describe }) };
}

interface LiveOptions {
  admin: Bootstrap['admin'];
  isGone: () => boolean;
  describe: () => Promise<string>;
}

async function waitUntilLive({ admin, isGone, describe }: LiveOptions): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (!isGone() && performance.now() < deadline) {
    if (await isLive(admin)) return;
    await delay(readyPollMs);
  }
  throw new DemoError(await describe());
}

function isLive({ host, port }: Bootstrap['admin']): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host, port, path: '/ready', agent: false, timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}

async function failure(binary: string, instance: string, logPath: string): Promise<string> {
  const reason = reasonInLog(await readFile(logPath, 'utf8')) ?? `${binary} said nothing`;
  return `the Envoy of ${instance} did not start: ${reason}`;
}

/** Envoy's last line says why it gives up; without time, level and source where it has them. */
export function reasonInLog(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  return lines
    .at(-1)
    ?.replace(/^(\[[^\]]*\]\s*)+/, '')
    .trim();
}
