/** What is counted while the configuration is read again and again: every request once, by whatever file. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { seededRandom } from '../../examples/meshes/random.ts';
import type { QueryAnswer, StatusAnswer, TargetsAnswer } from '../../server/api/contract.ts';
import { startCollector } from '../../server/collector.ts';
import { loadConfig } from '../../server/config/load.ts';
import { CountingAdmin } from '../crash/counting-admin.ts';
import { eventually } from '../scrape/eventually.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

const RELOADS = 14;
const BAD = ['scrape: [', 'scrap: {}', 'peers: [{ match: "(", service: a }]', 'storage: { path: elsewhere.db }'];

interface Choice {
  readonly interval: string;
  readonly retention: string;
  readonly peers: string;
  /** By place among the sidecars: its name, or none where it is not a target. */
  readonly names: readonly (string | undefined)[];
}

test.each([1, 2])('random reloads under traffic, %i', async (seed) => {
  const random = seededRandom(seed);
  const oneOf = <T>(all: readonly T[], first: T): T => all[Math.floor(random() * all.length)] ?? first;
  const sidecars = await Promise.all(Array.from({ length: 4 }, () => new CountingAdmin().start()));
  onTestFinished(async () => void (await Promise.all(sidecars.map((one) => one.stop()))));
  const folder = temporaryFolder();
  const file = join(folder, 'sidelight.yaml');
  const rest = `web: { listen: "127.0.0.1:0" }\n`;
  const textOf = ({ interval, retention, peers, names }: Choice): string => {
    const groups = sidecars.flatMap((one, index) =>
      names[index] === undefined
        ? []
        : [`{ targets: ["${one.text}"], labels: { service: ${names[index]}, instance: i${index} } }`],
    );
    return [
      `scrape: { interval: ${interval}, timeout: ${interval}, slow_down: false }`,
      `discovery: { static: [${groups.join(', ')}] }`,
      `storage: { path: "${join(folder, 'sidelight.db')}", retention: { raw: ${retention} } }`,
      `peers: [${peers}]`,
      rest,
    ].join('\n');
  };
  const choose = (isLast: boolean): Choice => ({
    interval: oneOf(['1s', '2s', '1h'], '1s'),
    retention: oneOf(['1h', '2h', '3h'], '2h'),
    peers: oneOf(['', '{ match: "c(.*)", service: "$1" }'], ''),
    names: sidecars.map(() => (isLast || random() < 0.8 ? oneOf(['shop', 'cart'], 'shop') : undefined)),
  });
  const first = { ...choose(true), interval: '10s' };
  writeFileSync(file, textOf(first));
  const loaded = loadConfig(file);
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const collector = await startCollector(loaded.config, pino({ level: 'silent' }, { write() {} }), (config) =>
    loadConfig(file, {}, config),
  );
  onTestFinished(() => collector.stop());
  const ask = async <Answer>(path: string): Promise<Answer> => (await fetch(`${collector.url}/api/v1/${path}`)).json();
  await eventually(async () => (await ask<TargetsAnswer>('targets')).counts.up).toBe(sidecars.length);
  for (let reload = 1; reload <= RELOADS; reload++) {
    const asked = sidecars.map(({ total }) => total);
    if (reload < RELOADS && random() < 0.25) {
      writeFileSync(file, oneOf(BAD, ''));
      const before = (await ask<StatusAnswer>('status')).config;
      const errors = collector.reload();
      expect(errors).not.toEqual([]);
      const { config, reload: told } = await ask<StatusAnswer>('status');
      expect([config, told.errors]).toEqual([before, errors]);
      continue;
    }
    const choice = reload === RELOADS ? { ...choose(true), interval: '5s' } : choose(false);
    writeFileSync(file, textOf(choice));
    expect(collector.reload()).toEqual([]);
    const { storage } = await ask<StatusAnswer>('status');
    expect(storage.tiers.find(({ name }) => name === 'raw')?.retentionMs).toBe(
      Number.parseInt(choice.retention, 10) * 3_600_000,
    );
    const isScraped = () => sidecars.some(({ total }, index) => total > (asked[index] ?? 0));
    if (choice.interval === '1s' && choice.names.some(Boolean)) await eventually(isScraped).toBe(true);
  }
  for (const one of sidecars) one.busy = false;
  const truth = sidecars.reduce((sum, { counted }) => sum + counted, 0);
  const requests = async (by: string) => {
    const { series } = await ask<QueryAnswer>(`query?signal=requests&by=${by}&window=2h&step=2h`);
    return Math.round(series.flatMap(({ points }) => points).reduce((sum, [, count]) => sum + (count ?? 0), 0));
  };
  await eventually(() => requests('service')).toBe(truth);
  expect(await requests('instance')).toBe(truth);
  await eventually(async () => {
    const metrics = await (await fetch(`${collector.url}/metrics`)).text();
    const counts = [...metrics.matchAll(/^mesh_requests_total\{.*direction="inbound".*code_class="2xx"\} (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  }).toBe(truth);
});
