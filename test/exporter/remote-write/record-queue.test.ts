/** The queue against a list: whatever is appended, sent, cut off by a crash at any byte and opened again. */

import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import {
  type LossReason,
  type QueuedRecord,
  RecordQueue,
  type RecordQueueOptions,
} from '../../../server/exporter/remote-write/record-queue.ts';
import { temporaryFolder } from '../../store/temporary-folder.ts';

interface Opened {
  readonly queue: RecordQueue;
  readonly lost: Record<LossReason, number>;
  readonly disk: unknown[];
}

function opened(folder: string | undefined, options: Partial<RecordQueueOptions> = {}): Opened {
  const lost = { full: 0, damaged: 0 };
  const disk: unknown[] = [];
  const queue = new RecordQueue({
    folder,
    maxBytes: 8000,
    now: () => 0,
    onLoss: (reason, samples) => {
      lost[reason] += samples;
    },
    onDisk: (error) => disk.push(error),
    ...options,
  });
  return { queue, lost, disk };
}

const bytesOf = (id: number, length: number) => Buffer.alloc(length, `${id};`);
const idOf = ({ payload }: QueuedRecord) => Number(Buffer.from(payload).toString().split(';')[0]);

/** What is not sent yet, in order; records that were sent already come first where their segment is still there. */
function left(queue: RecordQueue): number[] {
  const ids: number[] = [];
  for (let record = queue.next(); record; record = queue.next())
    if (record.sent !== Number.POSITIVE_INFINITY) ids.push(idOf(record));
  return ids;
}

type Step =
  | { readonly do: 'append'; readonly bytes: number }
  | { readonly do: 'send' }
  | { readonly do: 'send in part' }
  | { readonly do: 'restart' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('append' as const), bytes: fc.integer({ min: 12, max: 300 }) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'send' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'send in part' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' } as const) },
);

/** The newest file, and where its records end. */
function newest(folder: string): string | undefined {
  const name = readdirSync(folder)
    .filter((file) => file.endsWith('.queue'))
    .sort()
    .at(-1);
  return name && join(folder, name);
}

test('what was appended is sent once, in order, over restarts and a crash at any byte', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), fc.boolean(), (steps, cut, isCursorTorn) => {
      const folder = temporaryFolder();
      let { queue, lost } = opened(folder, { maxBytes: 1024 ** 2 });
      let waiting: { id: number; end: number; file: string }[] = [];
      let id = 0;
      const next = () => {
        let record = queue.next();
        while (record?.sent === Number.POSITIVE_INFINITY) record = queue.next();
        return record;
      };
      for (const one of steps) {
        if (one.do === 'append') {
          queue.append({ at: id, samples: 1 }, () => bytesOf(id, one.bytes));
          const file = newest(folder) ?? '';
          waiting.push({ id, end: readFileSync(file).length, file });
          id++;
        } else if (one.do === 'restart') {
          queue.close();
          ({ queue, lost } = opened(folder, { maxBytes: 1024 ** 2 }));
        } else {
          const record = next();
          expect(record && idOf(record)).toBe(waiting[0]?.id);
          if (!record) continue;
          if (one.do === 'send in part') queue.acknowledge(record, 1);
          queue.acknowledge(record, Number.POSITIVE_INFINITY);
          waiting = waiting.slice(1);
        }
        expect(queue.pending).toBe(waiting.length);
      }
      queue.close();
      const file = newest(folder);
      const at = file ? cut % (readFileSync(file).length + 1) : 0;
      if (file) truncateSync(file, at);
      if (isCursorTorn) appendFileSync(join(folder, 'sent'), 'torn');
      const again = opened(folder, { maxBytes: 1024 ** 2 });
      const durable = waiting.filter((record) => record.file !== file || record.end <= at).map((record) => record.id);
      expect(left(again.queue)).toEqual(durable);
      expect([lost, again.lost]).toEqual([
        { full: 0, damaged: 0 },
        { full: 0, damaged: 0 },
      ]);
      again.queue.append({ at: id, samples: 1 }, (isFirst) => bytesOf(isFirst ? 7 : -1, 20));
      expect(left(again.queue)).toEqual([7]);
      again.queue.close();
    }),
    { numRuns: 100 },
  );
});

test('a half written position is not taken for one', () => {
  const folder = temporaryFolder();
  const first = opened(folder);
  for (const id of [1, 2, 3]) first.queue.append({ at: id, samples: 1 }, () => bytesOf(id, 20));
  for (const _ of [1, 2]) {
    const record = first.queue.next();
    if (record) first.queue.acknowledge(record, Number.POSITIVE_INFINITY);
  }
  first.queue.close();
  const sent = readFileSync(join(folder, 'sent'));
  for (let at = 0; at < sent.length; at++) {
    const torn = Buffer.from(sent);
    torn[at] = (torn[at] ?? 0) ^ 0xff;
    writeFileSync(join(folder, 'sent'), torn);
    const { queue } = opened(folder);
    expect([[3], [2, 3]]).toContainEqual(left(queue));
    queue.close();
  }
});

test('the position in a record is kept', () => {
  const folder = temporaryFolder();
  const first = opened(folder);
  first.queue.append({ at: 1, samples: 10 }, () => bytesOf(1, 20));
  const record = first.queue.next();
  if (record) first.queue.acknowledge(record, 4);
  first.queue.close();
  const { queue } = opened(folder);
  expect(queue.next()?.sent).toBe(4);
  queue.close();
});

test.each([['on disk'], ['in memory']])('%s, the oldest makes room, and that is told', (where) => {
  const { queue, lost } = opened(where === 'on disk' ? temporaryFolder() : undefined);
  onTestFinished(() => queue.close());
  for (let id = 0; id < 40; id++) queue.append({ at: id, samples: 3 }, () => bytesOf(id, 980));
  expect(queue.bytes).toBeLessThanOrEqual(8000);
  const ids = left(queue);
  expect(ids.length).toBeGreaterThan(5);
  expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => 40 - ids.length + index));
  expect(lost).toEqual({ full: 3 * (40 - ids.length), damaged: 0 });
});

test('a record that makes room while it is sent is told from one that waits', () => {
  const { queue } = opened(temporaryFolder());
  onTestFinished(() => queue.close());
  queue.append({ at: 0, samples: 1 }, () => bytesOf(0, 980));
  const record = queue.next();
  if (!record) throw new Error('nothing waits');
  expect(queue.isDropped(record)).toBe(false);
  for (let id = 1; id < 20; id++) queue.append({ at: id, samples: 1 }, () => bytesOf(id, 980));
  expect(queue.isDropped(record)).toBe(true);
  queue.acknowledge(record, Number.POSITIVE_INFINITY);
  expect(queue.next()?.index).toBe(0);
});

test('what is damaged in the middle is told, and the next segment is sent', () => {
  const folder = temporaryFolder();
  const first = opened(folder);
  for (let id = 0; id < 3; id++) first.queue.append({ at: id, samples: 5 }, () => bytesOf(id, 400));
  const file = newest(folder) ?? '';
  first.queue.beginAnew();
  first.queue.append({ at: 3, samples: 5 }, () => bytesOf(3, 400));
  first.queue.close();
  const bytes = readFileSync(file);
  bytes[600] = (bytes[600] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const { queue, lost } = opened(folder);
  onTestFinished(() => queue.close());
  const first3 = queue.next();
  if (first3) queue.acknowledge(first3, Number.POSITIVE_INFINITY);
  expect([first3 && idOf(first3), ...left(queue)]).toEqual([0, 3]);
  expect(lost).toEqual({ full: 0, damaged: 10 });
});

test('while the disk takes nothing, memory does', () => {
  const folder = temporaryFolder();
  let now = 0;
  const { queue, disk, lost } = opened(folder, { now: () => now });
  onTestFinished(() => queue.close());
  const firsts: number[] = [];
  const append = (id: number) =>
    queue.append({ at: id, samples: 1 }, (isFirst) => {
      if (isFirst) firsts.push(id);
      return bytesOf(id, 20);
    });
  append(0);
  rmSync(folder, { recursive: true });
  queue.beginAnew();
  append(1);
  append(2);
  expect(disk).toEqual([expect.objectContaining({ code: 'ENOENT' })]);
  mkdirSync(folder);
  now = 60_000;
  append(3);
  append(4);
  expect([disk.length, disk[1]]).toEqual([2, undefined]);
  expect(firsts).toEqual([0, 1, 3]);
  expect(left(queue)).toEqual([0, 1, 2, 3, 4]);
  expect(lost).toEqual({ full: 0, damaged: 0 });
});
