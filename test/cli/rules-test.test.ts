/** `sidelight rules test`, as a user runs it, on the file of a store that is in use. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { storeOptions } from '../store/options.ts';
import { goodScrape } from '../store/records.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { runSidelight } from './sidelight.ts';

const STEP = 10_000;
const START = 1_699_999_200_000;
/** Every command is a program of its own, which takes its time to start on a busy machine. */
const timeout = 120_000;
const YAML = `
scrape: { interval: 10s }
storage: { path: sidelight.db }
alerts:
  defaults: true
  rules: [ { name: Slow, signal: latency_p99, above: 200ms, window: 1m, for: 1m } ]
`;

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  writeFileSync(join(folder, 'sidelight.yaml'), YAML);
});

/** Twenty minutes of one service, the second ten of them slow. */
async function filled(rounds = 120): Promise<void> {
  const store = await SqliteStore.open(storeOptions(join(folder, 'sidelight.db')));
  onTestFinished(() => store.close());
  for (let round = 1; round <= rounds; round++) {
    const to = START + round * STEP;
    const flows = [{ counters: { '2xx': 100 }, latency: { [round > rounds / 2 ? 400 : 20]: 100 } }];
    const identity = { service: 'shop', instance: 'shop-1' };
    await store.append([goodScrape({ target: 'shop:9901', from: to - STEP, to, identity, flows })]);
  }
}

const run = (...args: string[]) => runSidelight(['rules', 'test', '--config.file=sidelight.yaml', ...args], folder);

test('tells when rules would have fired, for people and for programs', { timeout }, async () => {
  await filled();
  const table = await run('--window=1h', '--max-alerts=0');
  expect(table).toMatchObject({ code: 0, err: [] });
  const text = table.out.join('\n');
  expect(text).toMatch(/^Tried on 2023-11-14 22:00:00 to 2023-11-14 22:20:00 \(20m, as long as the history is\)/);
  expect(text).toMatch(/^Slow +1 +8m\d+s +0 % +0 % +above: 4[12]0ms \(0\)$/m);
  expect(text).toMatch(/^ {2}2023-11-14 22:1\d:\d0 still firing: service=shop, 4\d\d ms \(threshold 200 ms\)$/m);
  expect(text).toContain('SidecarDown: not tried, since');

  const json = await run('--rule=Slow', '--output=json');
  const answer = JSON.parse(json.out.join('\n'));
  expect(answer).toMatchObject({ window: '7d', maxAlerts: 5, from: START, to: START + 120 * STEP });
  expect(answer.rules).toMatchObject([
    { name: 'Slow', alerts: 1, series: [{ labels: { service: 'shop' }, firings: [{ to: null }] }] },
  ]);
});

test('what is asked for wrongly is told in one line', { timeout }, async () => {
  await filled(3);
  const cases: readonly (readonly [flag: string, message: RegExp])[] = [
    ['--rule=Slo', /^error: --rule=Slo: there is no such rule; did you mean Slow\?$/],
    ['--window=1s', /^error: --window=1s: not a duration from 1m to 400d; write 7d or 12h$/],
    ['--max-alerts=-1', /^error: --max-alerts=-1: not a whole number from 0 to 10000; write 5$/],
    ['--storage.path=none.db', /none\.db/],
  ];
  for (const [flag, message] of cases) {
    const { code, out, err } = await run(flag);
    expect([code, out, err], flag).toEqual([1, [], [expect.stringMatching(message)]]);
  }
  const none = await SqliteStore.open(storeOptions(join(folder, 'empty.db')));
  await none.close();
  expect((await run('--storage.path=empty.db')).err).toEqual([expect.stringContaining('holds no history yet')]);
});
