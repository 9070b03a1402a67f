/** The same rules on the same targets, given to Sidelight and to the real Prometheus. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Labels } from '../../server/model/labels.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { RELABEL_CASES, type RelabelCase } from './relabel-cases.ts';
import { relabelled } from './relabelling.ts';

interface PrometheusTargets {
  readonly data: {
    readonly activeTargets: readonly { readonly scrapePool: string; readonly labels: Labels }[];
    readonly droppedTargets: readonly { readonly discoveredLabels: Labels }[];
  };
}

/** A busy machine starts a Prometheus slowly. */
const PATIENT = { timeout: 40_000, interval: 50 };
/** Labels that Prometheus adds by itself. */
const ITS_OWN = ['job', 'instance'];
/** A template of a target label that comes out empty or as no name: versions of Prometheus differ. */
const DIFFERS = ['a target label that would be none'];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

/** A Prometheus with one job per case, which asks none of the targets while the test runs. */
async function startPrometheus(cases: readonly RelabelCase[]): Promise<string> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'sd'));
  const jobs = cases.map(({ rules, before }, index) => {
    writeFileSync(
      join(folder, 'sd', `${index}.json`),
      JSON.stringify([{ targets: ['127.0.0.1:9901'], labels: before }]),
    );
    return { job_name: `case-${index}`, file_sd_configs: [{ files: [`sd/${index}.json`] }], relabel_configs: rules };
  });
  const config = { global: { scrape_interval: '1h' }, scrape_configs: jobs };
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const port = await freePort();
  const prometheus: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  prometheus.stderr?.on('data', (data: Buffer) => {
    log += data;
  });
  const failed = Promise.withResolvers<never>();
  prometheus.once('error', () => failed.reject(new Error('prometheus is missing: apt-get install prometheus')));
  prometheus.once('exit', (code) => failed.reject(new Error(`prometheus ended with ${code}: ${log.slice(-2000)}`)));
  failed.promise.catch(() => {});
  onTestFinished(async () => {
    if (prometheus.exitCode !== null || prometheus.pid === undefined) return;
    const ended = once(prometheus, 'exit');
    prometheus.kill('SIGKILL');
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  const ready = expect
    .poll(
      () =>
        fetch(`${url}/-/ready`).then(
          ({ status }) => status,
          () => 0,
        ),
      PATIENT,
    )
    .toBe(200);
  await Promise.race([ready, failed.promise]);
  return url;
}

test('Prometheus gives every case the labels that Sidelight gives it', { timeout: 60_000 }, async () => {
  const cases = RELABEL_CASES.filter(({ name }) => !DIFFERS.includes(name));
  const url = await startPrometheus(cases);
  const targets = async () => (await (await fetch(`${url}/api/v1/targets`)).json()) as PrometheusTargets;
  await expect
    .poll(async () => {
      const { activeTargets, droppedTargets } = (await targets()).data;
      return activeTargets.length + droppedTargets.length;
    }, PATIENT)
    .toBe(cases.length);
  const { activeTargets } = (await targets()).data;
  const theirs = new Map(activeTargets.map(({ scrapePool, labels }) => [scrapePool, labels]));
  const found = cases.map(({ name, rules, before }, index) => {
    const labels = theirs.get(`case-${index}`);
    const own = labels && Object.fromEntries(Object.entries(labels).filter(([label]) => !ITS_OWN.includes(label)));
    return { name, prometheus: own ?? null, sidelight: relabelled(rules, before) };
  });
  expect(found.map(({ name, sidelight }) => ({ name, labels: sidelight }))).toEqual(
    found.map(({ name, prometheus }) => ({ name, labels: prometheus })),
  );
});
