/** Messages side by side, in whatever order they are answered: each series arrives in order, and nothing is left out. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LabelSet } from '../../../server/exporter/families.ts';
import { backOffMs, Drain } from '../../../server/exporter/remote-write/drain.ts';
import type { Outcome } from '../../../server/exporter/remote-write/receiver.ts';
import { RecordQueue } from '../../../server/exporter/remote-write/record-queue.ts';
import { RoundWriter } from '../../../server/exporter/remote-write/round-writer.ts';
import { SeriesTable } from '../../../server/exporter/remote-write/series-table.ts';
import { temporaryFolder } from '../../store/temporary-folder.ts';
import { decodedRequest, keyOfSeries } from './decoded.ts';

const SERIES = 11;
const TAKEN: Outcome = { kind: 'taken' };
const FAILED: Outcome = { kind: 'failed', reason: 'busy', afterMs: 0 };
const REFUSED: Outcome = { kind: 'refused', reason: 'no' };

function opened(folder: string): RecordQueue {
  return new RecordQueue({ folder, maxBytes: 1024 ** 2, now: () => 0, onLoss() {}, onDisk() {} });
}

function fill(queue: RecordQueue, rounds: number): void {
  const table = new SeriesTable({ seriesLimit: 100, externalLabels: {} });
  const writer = new RoundWriter();
  for (let at = 1; at <= rounds; at++) {
    table.begin();
    for (let series = 0; series < SERIES; series++)
      table.value(table.column('a', undefined), new LabelSet({ series: String(series) }), at * 100 + series);
    writer.take(table.finish(at, true));
    queue.append({ at, samples: writer.samples }, (isFirst) => writer.encode(isFirst));
    writer.done();
  }
}

/** A receiver's memory: times by series, as they were taken. */
type Received = Map<string, number[]>;

/** Sends until nothing is left, or the drain is stopped after so many answers. */
async function send(
  queue: RecordQueue,
  received: Received,
  answers: readonly Outcome[],
  stopAfter: number,
): Promise<void> {
  let answered = 0;
  const ended = Promise.withResolvers<void>();
  const drain = new Drain({
    queue,
    maxSamplesPerSend: 2,
    maxShards: 3,
    random: () => 0,
    onRound() {},
    onOutcome() {},
    onIdle: () => ended.resolve(),
    async send(body, stop) {
      const number = answered++;
      const outcome = answers[number] ?? TAKEN;
      for (let turns = (number * 7) % 5; turns > 0; turns--) await new Promise(setImmediate);
      if (stop.aborted) return FAILED;
      if (outcome.kind !== 'failed')
        for (const one of decodedRequest(body).series) {
          const times = received.get(keyOfSeries(one)) ?? [];
          received.set(keyOfSeries(one), [...times, one.at]);
        }
      if (answered >= stopAfter) ended.resolve();
      return outcome;
    },
  });
  drain.start();
  await ended.promise;
  await drain.stop(0);
}

test('over failures, refusals and a stop at any moment', async () => {
  const outcome = fc.constantFrom(TAKEN, TAKEN, FAILED, REFUSED);
  await fc.assert(
    fc.asyncProperty(
      fc.array(outcome, { maxLength: 40 }),
      fc.integer({ min: 1, max: 40 }),
      async (answers, stopAfter) => {
        const folder = temporaryFolder();
        const received: Received = new Map();
        const first = opened(folder);
        fill(first, 4);
        await send(first, received, answers, stopAfter);
        first.close();
        const second = opened(folder);
        await send(second, received, [], Number.POSITIVE_INFINITY);
        expect(second.pending).toBe(0);
        second.close();
        expect(received.size).toBe(SERIES);
        for (const times of received.values()) {
          expect(times).toEqual(times.toSorted((a, b) => a - b));
          expect([...new Set(times)]).toEqual([1, 2, 3, 4]);
          expect(times.length).toBeLessThanOrEqual(5);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test.each([
  [1, 1, 30],
  [2, 1, 60],
  [3, 0.5, 60],
  [8, 1, 3840],
  [9, 1, 5000],
  [100_000, 1, 5000],
  [9, 0, 0],
])('after %i failures in a row, by a chance of %d, it rests for %d ms', (failures, chance, ms) => {
  expect(backOffMs(failures, chance)).toBe(ms);
});
