/**
 * Ten good sidecars at two real Envoys, and beside them everything that no Envoy does, at once, at an interval of one
 * second. For longer than CI has time for: `HOSTILE_SECONDS=300 vitest run test/e2e/hostile.test.ts`, or
 * `npm run bench -- hostile --minutes=5`.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkFile } from '../../server/store/sqlite/maintenance.ts';
import { exportedRows } from './exported.ts';
import { HOSTILE } from './hostile-kinds.ts';
import { type HostileRun, runHostile } from './hostile-run.ts';

const SECONDS = Number(process.env.HOSTILE_SECONDS ?? 16);
const MOST_MEMORY_MIB = 400;
const INTERVAL_MS = 1000;
/** Different reasons of one target that are told; of one reason, more only after ten minutes. */
const MOST_WARNINGS = 4 * Math.ceil(SECONDS / 600);

/** The program with all the hostile servers has much to do. */
const SLOW = /has not answered within 1000 ms|closed the connection before it had answered/;

let run: HostileRun;

beforeAll(
  async () => {
    run = await runHostile({ seconds: SECONDS });
    const { mostMemoryMiB, stalestMs } = run;
    const figures = { mostMemoryMiB, stalestMs, requests: run.sent.reduce((sum, count) => sum + count, 0) };
    console.log(JSON.stringify(figures, (_, value) => (typeof value === 'number' ? Math.round(value) : value)));
  },
  900_000 + SECONDS * 2000,
);

afterAll(() => run?.cleanUp());

test('the good ones stay exact', () => {
  expect(run.counted).toEqual(run.sent);
  expect(Math.min(...run.sent)).toBeGreaterThan(100);
});

test('the good ones are never down, nor later than one interval', () => {
  expect([...run.goodDown]).toEqual([]);
  expect(run.stalestMs).toBeLessThan(2 * INTERVAL_MS);
});

test.each(HOSTILE)('$kind', ({ kind, down, flaps }) => {
  const { reasons, wasUp } = run.told.get(kind) ?? { reasons: new Set<string>(), wasUp: false };
  const others = [...reasons].filter((reason) => !down?.test(reason));
  expect(others.filter((reason) => !SLOW.test(reason))).toEqual([]);
  expect([reasons.size > others.length, wasUp]).toEqual([down !== undefined, down === undefined || flaps === true]);
});

test('a redirect is not followed', () => {
  const reasons = [...(run.told.get('redirect')?.reasons ?? [])];
  expect(reasons.filter((reason) => !SLOW.test(reason))).toEqual([
    "/stats is redirected (302), which is not followed: is it Envoy's admin port?",
  ]);
  expect(run.followed).toBe(0);
});

test('what a port had counted before it changed its owner is not counted by the next one', () => {
  expect([...run.owners]).toEqual([
    ['first-owner', 0],
    ['second-owner', 0],
  ]);
});

test('memory stays small', () => {
  expect(run.mostMemoryMiB).toBeLessThan(MOST_MEMORY_MIB);
});

test('the log tells each trouble once', () => {
  const warnings = [...run.logLines].map(([kind, lines]) => [kind, lines.filter((line) => / WARN /.test(line)).length]);
  expect(warnings.filter(([, count]) => Number(count) > MOST_WARNINGS)).toEqual([]);
  const all = [...run.logLines.values()].flat();
  expect(all.filter((line) => /unexpected|at .*\.ts:\d/.test(line))).toEqual([]);
});

test('no output has a number that is none, infinite or negative', async () => {
  expect(run.wrongNumbers).toEqual([]);
  const rows = await exportedRows(run.storagePath);
  expect(rows.length).toBeGreaterThan(run.sent.length);
  const wrong = rows.flatMap((row) =>
    Object.entries(row).filter(([, value]) => typeof value === 'number' && !(value >= 0 && value < Infinity)),
  );
  expect(wrong).toEqual([]);
});

test('the collector ends well, and the file is whole', () => {
  expect(run.exitCode).toBe(0);
  expect(checkFile(run.storagePath, () => {})).toEqual([]);
});
