import { beforeAll, expect, test } from 'vitest';
import type { TargetStatus } from '../../../server/api/contract.ts';
import { timeZone } from '../../../web/format/zone.ts';
import {
  certificateInWords,
  intervalInWords,
  restartsInWords,
  uptimeInWords,
} from '../../../web/pages/instance/sidecar-words.ts';
import { FAKE_MESH } from '../fake-api/fake-services.ts';
import { fakeTargets } from '../fake-api/fake-targets.ts';

const T = Date.UTC(2026, 0, 2, 14);
const DAY = 86_400_000;

beforeAll(() => {
  timeZone.value = 'utc';
});

function sidecar(differences: Partial<TargetStatus>): TargetStatus {
  const [target] = fakeTargets(FAKE_MESH.slice(0, 1), T).targets;
  if (!target) throw new Error('the fake has no target');
  return { ...target, health: 'up', scrapeDurationMs: 4, ...differences };
}

const spaced = (words: string) => words.replaceAll('\u00a0', ' ');

test.each<[differences: Partial<TargetStatus>, words: string]>([
  [{ startedAt: null }, 'not known'],
  [{ startedAt: T - 2 * DAY }, '2 d, since 31 Dec 14:00:00'],
  [{ startedAt: T - 2 * DAY, health: 'down' }, 'since 31 Dec 14:00:00, as last told'],
])('uptime of %j', (differences, words) => expect(spaced(uptimeInWords(sidecar(differences), T))).toBe(words));

test.each<[restarts: number[], words: string, health: string]>([
  [[], 'none seen since the collector knows it', 'good'],
  [[T - 5000, T], '2 seen, the last at 2 Jan 14:00:00', 'warn'],
])('restarts %j', (restarts, words, health) =>
  expect(restartsInWords(sidecar({ restarts }))).toEqual({ words, health }),
);

test.each<[differences: Partial<TargetStatus>, words: string]>([
  [{ intervalMs: null }, 'not known yet'],
  [{ intervalMs: 15_000 }, 'every 15 seconds, of which 4.00 ms is the answering'],
  [{ intervalMs: 60_000, scrapeDurationMs: null }, 'every 1 minute'],
])('asked %j', (differences, words) => expect(spaced(intervalInWords(sidecar(differences)))).toBe(words));

test.each<[certificateExpiry: number | null, words: string, health: string]>([
  [null, 'none told of', 'good'],
  [T - 1, 'ran out 2 Jan 13:59:59', 'bad'],
  [T + 3 * DAY, 'the first runs out in 3 d, 5 Jan 14:00:00', 'warn'],
  [T + 40 * DAY, 'the first runs out in 40 d, 11 Feb 14:00:00', 'good'],
])('certificates until %j', (certificateExpiry, words, health) => {
  const told = certificateInWords(sidecar({ certificateExpiry }), T);
  expect({ ...told, words: spaced(told.words) }).toEqual({ words, health });
});
