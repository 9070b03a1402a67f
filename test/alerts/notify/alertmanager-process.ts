import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually } from './listener.ts';

/** A real Alertmanager on loopback, which tells a webhook. */
export class Alertmanager {
  private readonly folder = mkdtempSync(join(tmpdir(), 'sidelight-alertmanager-'));
  private process: ChildProcess | undefined;
  private port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(webhook: string): Promise<this> {
    this.port ||= await freePort();
    const config = join(this.folder, 'alertmanager.yml');
    writeFileSync(config, configOf(webhook));
    const started = spawn(
      'prometheus-alertmanager',
      [
        `--config.file=${config}`,
        `--storage.path=${this.folder}`,
        `--web.listen-address=127.0.0.1:${this.port}`,
        '--cluster.listen-address=',
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
    const failed = once(started, 'error').then(([error]: unknown[]) => {
      throw new Error(
        `prometheus-alertmanager does not run (${String(error)}): apt-get install prometheus-alertmanager`,
      );
    });
    this.process = started;
    const isReady = eventually(async () => {
      expect((await fetch(`${this.url}/-/ready`)).status).toBe(200);
    });
    await Promise.race([isReady, failed]);
    failed.catch(() => {});
    return this;
  }

  /** SIGKILL loses what it had not written, SIGTERM nothing. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { process } = this;
    this.process = undefined;
    if (!process) return;
    const ended = once(process, 'exit');
    process.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async alerts(): Promise<Record<string, unknown>[]> {
    return (await (await fetch(`${this.url}/api/v2/alerts`)).json()) as Record<string, unknown>[];
  }
}

function configOf(webhook: string): string {
  return JSON.stringify({
    route: {
      receiver: 'hook',
      group_by: ['alertname'],
      group_wait: '100ms',
      group_interval: '200ms',
      repeat_interval: '1h',
    },
    receivers: [{ name: 'hook', webhook_configs: [{ url: webhook, send_resolved: true }] }],
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
