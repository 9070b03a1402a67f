/** Upkeep in the smallest slices that there are: each is small work, and whatever comes in between counts once. */

import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { requestCount } from '../../server/model/flow.ts';
import { decodeAnswer } from '../../server/store/answer-view.ts';
import { BlockWriter } from '../../server/store/blocks.ts';
import { SqliteReader } from '../../server/store/sqlite/reader.ts';
import { RoundEncoder } from '../../server/store/sqlite/round.ts';
import { SqliteWriter } from '../../server/store/sqlite/writer.ts';
import { allAtOnce } from './all-at-once.ts';
import { storeOptions } from './options.ts';
import { goodScrape } from './records.ts';
import { temporaryFolder } from './temporary-folder.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const START = Math.floor(1_700_000_000_000 / HOUR) * HOUR;
const PEERS = 60;

test('rounds between any two steps of upkeep count once, and no step packs more than a few flows', {
  timeout: 120_000,
}, () => {
  // A clock that leaps: every step is a slice of its own.
  let time = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (time += 1000));
  const packed = vi.spyOn(BlockWriter.prototype, 'encode');
  onTestFinished(() => void vi.restoreAllMocks());
  const options = storeOptions(join(temporaryFolder(), 'sidelight.db'), { intervalMs: MINUTE });
  const writer = new SqliteWriter(options);
  const reader = new SqliteReader(options);
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  const encoder = new RoundEncoder();
  let minute = 0;
  const append = () => {
    const flows = Array.from({ length: PEERS }, (_, peer) => ({
      direction: 'outbound' as const,
      peer: `peer-${peer}`,
      counters: { '2xx': 2 },
    }));
    const at = { from: START + minute * MINUTE, to: START + (minute + 1) * MINUTE };
    const round = ['one', 'two'].map((target) => goodScrape({ target, ...at, identity: { instance: target }, flows }));
    writer.append(allAtOnce(encoder.encode(round)));
    minute++;
  };
  const sent = () => {
    const query = {
      from: START - HOUR,
      to: START + 24 * HOUR,
      direction: 'outbound',
      match: {},
      by: [],
      bins: false,
    } as const;
    return requestCount(decodeAnswer(reader.sums(query)).groups[0]?.cells[0]?.counters ?? []);
  };
  for (let round = 0; round < 60; round++) append();
  while (minute < 200) {
    for (let slices = 0; slices < 61 && writer.upkeep(START + minute * MINUTE); slices++);
    append();
    if (minute % 20 === 0) expect(sent()).toBe(minute * 2 * PEERS * 2);
  }
  while (writer.upkeep(START + minute * MINUTE));
  expect(sent()).toBe(200 * 2 * PEERS * 2);
  const most = Math.max(...packed.mock.calls.map(([{ series }]) => series.length));
  expect(most).toBe(24);
});
