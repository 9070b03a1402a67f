import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COUNTERS, type LatencySource } from '../../server/model/flow.ts';
import { GroupSum } from '../../server/store/group-sum.ts';
import { becomeRest } from '../../server/store/kept-group.ts';
import { type KeptSums, SumsKeeper } from '../../server/store/kept-sums.ts';

const SOURCES: readonly LatencySource[] = ['downstream', 'upstream'];
const WHOLE = { from: 1_000, to: 3_000 };
const EDGE = 1_500;
const REST = { from: EDGE, to: WHOLE.to };

const count = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 40 }));
const counts = fc.record({
  counters: fc.dictionary(fc.nat(COUNTERS.length - 1).map(String), count, { maxKeys: 6 }),
  timeouts: fc.nat(3),
  /** Keys of bins, and of buckets. */
  bins: fc.array(fc.dictionary(fc.oneof(fc.nat(810), fc.nat(800_000)).map(String), count, { maxKeys: 8 }), {
    minLength: 2,
    maxLength: 2,
  }),
});
type Counts = ReturnType<(typeof counts)['generate']>['value'];

function add(sum: GroupSum, { counters, timeouts, bins }: Counts): GroupSum {
  for (const [counter, value] of Object.entries(counters)) sum.counters.add(Number(counter), 0, value);
  if (timeouts > 0) sum.timeouts.add(0, 0, timeouts);
  for (const [index, source] of SOURCES.entries())
    for (const [key, value] of Object.entries(bins[index] ?? {})) sum.table(source).add(Number(key), value);
  return sum;
}

function kept(sum: GroupSum): KeptSums {
  const keeper = new SumsKeeper(16);
  keeper.add({ key: 'other', labels: {} }, new GroupSum(1));
  keeper.add({ key: 'a', labels: { service: 'a' } }, sum);
  return keeper.finish();
}

const readerOf = (sums: KeptSums) => sums.at(sums.find('a'));

/** What is 0 left out. */
function told({ counters, timeouts, bins, runs }: GroupSum) {
  return {
    counters: COUNTERS.map((_, counter) => counters.value(counter, 0)),
    timeouts: timeouts.value(0, 0),
    bins: bins.map((table) => {
      const rows = [...(table?.keys ?? [])].map((key) => [key, table?.counts[table.row(key)] ?? 0] as const);
      return rows.filter(([, value]) => value !== 0).sort(([a], [b]) => a - b);
    }),
    runs: runs.intervals(),
  };
}

const empty = (): GroupSum => {
  const sum = new GroupSum(1);
  for (const source of SOURCES) sum.table(source);
  return sum;
};

test('a time without its beginning is what was counted in the rest of it', () => {
  fc.assert(
    fc.property(counts, counts, (gone, left) => {
      const whole = add(add(empty(), gone), left);
      whole.measured([WHOLE], []);
      const rest = add(empty(), left);
      rest.measured([REST], []);
      const sum = add(empty(), gone);
      expect(becomeRest(sum, readerOf(kept(whole)), REST)).toBe(true);
      expect(told(sum)).toEqual(told(rest));
    }),
  );
});

test('a part that holds what the whole does not is found out', () => {
  fc.assert(
    fc.property(counts, fc.nat(COUNTERS.length - 1), (all, counter) => {
      const whole = add(empty(), all);
      whole.measured([WHOLE], []);
      const part = add(empty(), all);
      part.counters.add(counter, 0, 1);
      expect(becomeRest(part, readerOf(kept(whole)), REST)).toBe(false);
      const unknown = empty();
      unknown.table('upstream').add(12, 1);
      expect(becomeRest(unknown, undefined, REST)).toBe(false);
    }),
  );
});

test.each([
  { counted: 0, isPossible: true },
  { counted: 7, isPossible: false },
])('a group that was not measured in the rest is left out, unless $counted requests are left of it', (row) => {
  const { counted, isPossible } = row;
  const whole = add(empty(), { counters: { 0: 5 + counted }, timeouts: 0, bins: [{}, {}] });
  whole.measured([{ from: WHOLE.from, to: EDGE }], []);
  const sum = add(empty(), { counters: { 0: 5 }, timeouts: 0, bins: [{}, {}] });
  expect(becomeRest(sum, readerOf(kept(whole)), REST)).toBe(isPossible);
  expect(sum.isMeasured).toBe(false);
});
