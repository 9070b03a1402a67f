import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { targetsCommand } from '../../server/cli/targets.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { runSidelight } from './sidelight.ts';

const CONFIG = `
discovery:
  static: [{ targets: ["10.0.0.5:9901", "unix:/run/envoy.sock"], labels: { service: checkout } }]
  file: [{ files: ["targets.yaml"] }]
  relabel: [{ source_labels: [job], regex: nightly, action: drop }]
`;
const FILE = `
- { targets: ["10.0.0.6:9901"], labels: { service: cart } }
- { targets: ["10.0.0.7:9901"], labels: { job: nightly } }
`;

function folderWith(config: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'sidelight.yaml'), config);
  writeFileSync(join(folder, 'targets.yaml'), FILE);
  return folder;
}

test('prints what discovery finds, and what it drops and why, without starting', async () => {
  expect(await runSidelight(['targets', '--config.file=sidelight.yaml', '--target=a:1'], folderWith(CONFIG))).toEqual({
    code: 0,
    err: [],
    out: [
      'TARGET                LABELS            NOTE',
      '10.0.0.5:9901         service=checkout',
      'unix:/run/envoy.sock  service=checkout',
      'a:1',
      '10.0.0.6:9901         service=cart',
      '',
      'DROPPED        REASON',
      '10.0.0.7:9901  dropped by discovery.relabel[0] (action: drop, source_labels: [job], regex: nightly)',
    ],
  });
});

/** Runs the command here. */
async function run(config: string, options: { output?: 'table' | 'json'; deadlineMs?: number } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const file = join(folderWith(config), 'sidelight.yaml');
  const code = await targetsCommand({ file, flags: {}, output: 'table', terminal, ...options });
  return { code, out, err };
}

test('as JSON it is what /api/v1/targets would say', async () => {
  const { code, out } = await run(CONFIG, { output: 'json' });
  const answer = JSON.parse(out.join('\n'));
  expect(code).toBe(0);
  expect(answer.targets[2]).toMatchObject({
    labels: { address: '10.0.0.6:9901', service: 'cart' },
    discoveredLabels: {
      __address__: '10.0.0.6:9901',
      service: 'cart',
      __meta_filepath: expect.stringContaining('targets.yaml'),
    },
    health: 'unknown',
  });
  expect(answer.droppedTotal).toBe(1);
  expect(answer.discovery).toEqual([
    { name: 'discovery.static[0]', error: '', answered: true },
    { name: 'discovery.file[0]', error: '', answered: true },
  ]);
});

test('a mechanism that fails is told, the others are printed all the same', async () => {
  const { code, out, err } = await run(
    `discovery:\n  static: [{ targets: ["a:1"] }]\n  file: [{ files: [no.json] }]\n`,
  );
  expect([code, out]).toEqual([1, ['TARGET  LABELS  NOTE', 'a:1']]);
  expect(err).toEqual([expect.stringMatching(/^discovery\.file\[0\]: .*no\.json: no such file yet/)]);
});

test('a mechanism that does not answer is not waited for for ever', async () => {
  const config = 'discovery: { dns: [{ names: [a.test.], port: 1, servers: ["127.0.0.1:1"] }] }';
  const { code, out, err } = await run(config, { deadlineMs: 1 });
  expect([code, out, err.length]).toEqual([1, ['no targets'], 1]);
});

test('a bad file is told as by check-config', async () => {
  const { code, err } = await run('scrap: {}');
  expect([code, err]).toEqual([1, [expect.stringContaining('sidelight.yaml:1: scrap: unknown key')]]);
});
