/** How much of a list from outside is taken, and what is said of more. */

import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createFileDiscoverer } from '../../server/discovery/file.ts';
import { readTargetFile } from '../../server/discovery/target-files.ts';
import { readTargetGroups } from '../../server/discovery/target-groups.ts';
import { eventually } from '../scrape/eventually.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { started } from './recording-sink.ts';

const times = <Value>(count: number, value: Value) => Array.from({ length: count }, () => value);
const long = (length: number) => 'x'.repeat(length);
const labels = (count: number) => Object.fromEntries(times(count, 'v').map((value, index) => [`l${index}`, value]));

test.each<[about: string, most: unknown, tooMuch: unknown, error: string]>([
  ['groups', times(100_000, {}), times(100_001, {}), 'the list of groups: 100001 entries; at most 100000 are taken'],
  [
    'targets of a group',
    [{ targets: times(100_000, 'a:1') }],
    [{ targets: times(100_001, 'a:1') }],
    'targets of group 1: 100001 entries; at most 100000 are taken',
  ],
  [
    'targets in all',
    times(2, { targets: times(50_000, 'a:1') }),
    times(3, { targets: times(50_000, 'a:1') }),
    'group 3: more than 100000 targets in all',
  ],
  [
    "an address's length",
    [{ targets: [long(1024)] }],
    [{ targets: ['a:1', long(1025)] }],
    'target 2 of group 1: 1025 characters; at most 1024 are taken',
  ],
  ['labels', [{ labels: labels(128) }], [{ labels: labels(129) }], 'group 1: 129 labels; at most 128 are taken'],
  [
    "a label name's length",
    [{ labels: { [long(256)]: 'v' } }],
    [{ labels: { [long(257)]: 'v' } }],
    "group 1: a label's name has 257 characters; at most 256 are taken",
  ],
  [
    "a label value's length",
    [{ labels: { a: long(4096) } }],
    [{ labels: { a: long(4097) } }],
    'label a of group 1: 4097 characters; at most 4096 are taken',
  ],
])('the limit of %s', (_about, most, tooMuch, error) => {
  expect(() => readTargetGroups(most)).not.toThrow();
  expect(() => readTargetGroups(tooMuch)).toThrow(error);
});

test('a file that is too large is not read', async () => {
  const path = join(temporaryFolder(), 'a.json');
  writeFileSync(path, '');
  truncateSync(path, 33_554_433);
  await expect(readTargetFile(path)).rejects.toThrow(`${path}: larger than 33554432 bytes; split it`);
});

test('more files than are read are told', async () => {
  const folder = temporaryFolder();
  for (let number = 0; number <= 10_000; number++) writeFileSync(join(folder, `${10_000 + number}.json`), '[]');
  const files = [join(folder, '*.json')];
  const discoverer = createFileDiscoverer({ files, refreshMs: 60_000 }, { now: Date.now, random: () => 0.5 });
  onTestFinished(() => discoverer.stop());
  const sink = started(discoverer);
  await eventually(() => sink.error()).toBe('10001 files; only the first 10000 are read');
}, 60_000);
