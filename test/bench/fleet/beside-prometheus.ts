/** Debian's Prometheus on the same fleet, asking each sidecar for no more than what its boards need. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface Beside {
  readonly pid: number;
  stop(): Promise<void>;
}

/** The tightest filter that keeps rates, codes, latencies, retries and timeouts of every cluster. */
const FILTER =
  '^cluster\\.[^.]+\\.upstream_rq_(time|completed|[1-5]xx|retry|timeout)$|^http\\.[^.]+\\.downstream_rq_(time|completed|[1-5]xx)$';
const START_MS = 40_000;

/** Resolves when it is ready. */
export async function startPrometheusBeside(options: {
  readonly folder: string;
  readonly targetsFile: string;
  readonly intervalMs: number;
}): Promise<Beside> {
  const { folder, targetsFile, intervalMs } = options;
  const every = `${intervalMs / 1000}s`;
  const job = {
    job_name: 'envoys',
    metrics_path: '/stats/prometheus',
    params: { usedonly: ['1'], filter: [FILTER] },
    file_sd_configs: [{ files: [targetsFile] }],
  };
  const file = join(folder, 'prometheus.yml');
  await writeFile(
    file,
    JSON.stringify({ global: { scrape_interval: every, scrape_timeout: every }, scrape_configs: [job] }),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=${address}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
  const failed = new Promise<never>((_, reject) => {
    child.once('error', () => reject(new Error('prometheus does not run: apt-get install prometheus')));
    child.once('exit', (code) => reject(new Error(`prometheus ended with ${code}`)));
  });
  failed.catch(() => {});
  await Promise.race([isReady(`http://${address}/-/ready`), failed]);
  return {
    pid: child.pid ?? 0,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function isReady(url: string): Promise<void> {
  for (const until = performance.now() + START_MS; performance.now() < until; await delay(100)) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200) return;
  }
  throw new Error('prometheus was not ready in time');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
