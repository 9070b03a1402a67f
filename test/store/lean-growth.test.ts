import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SparseBins } from '../../server/model/histogram.ts';
import { VarintWriter } from '../../server/model/varint.ts';
import { FIRST_GAUGE, RecordWriter } from '../../server/store/record.ts';
import { growthFrom, leanGrowth } from '../../server/store/sqlite/lean-growth.ts';

type Pairs = readonly (readonly [number, number])[];

interface Flow {
  readonly counters: Pairs;
  readonly bins: Pairs;
}

function recordOf(flows: readonly Flow[], gauge = 0): Uint8Array {
  const record = new RecordWriter();
  flows.forEach(({ counters, bins }, position) => {
    const columns = Array.from({ length: FIRST_GAUGE }, () => 0);
    for (const [column, count] of counters) columns[column] = count;
    record.add(position % 2, position, { counters: columns, gauges: [gauge], bins: binsOf(bins) });
  });
  const out = new VarintWriter();
  record.writeTo(out);
  return out.finish();
}

const binsOf = (pairs: Pairs): SparseBins => ({ keys: pairs.map(([key]) => key), counts: pairs.map(([, n]) => n) });

/** Growth of some counters, of a histogram for each list of `histograms`, and of flows, and bytes behind. */
function growthOf(histograms: readonly Pairs[], flows: readonly Flow[], rest: readonly number[] = []): Uint8Array {
  const out = new VarintWriter();
  for (const number of [3, 70, 1, 9, 0]) out.write(number);
  const bins = (pairs: Pairs) => {
    out.write(pairs.length);
    out.writePairs(binsOf(pairs).keys, binsOf(pairs).counts);
  };
  for (const pairs of histograms) {
    out.write(1);
    bins(pairs);
  }
  out.write(0);
  flows.forEach((flow, place) => {
    out.write(place + 1);
    out.write(flow.counters.length);
    for (const number of flow.counters.flat()) out.write(number);
    bins(flow.bins);
  });
  out.write(0);
  for (const number of rest) out.write(number);
  return out.finish();
}

const backFrom = (growth: Uint8Array, record: Uint8Array) => growthFrom(leanGrowth(growth, record).slice(), record);

const FLOWS: readonly Flow[] = Array.from({ length: 10 }, (_, flow) => ({
  counters: [
    [0, 40 + flow],
    [5, 1 + flow],
  ],
  bins: Array.from({ length: 30 }, (_, bin) => [100 + 3 * bin, 1 + bin * flow] as const),
}));
const BINS = FLOWS.map(({ bins }) => bins);

test.each([
  { about: 'all that the record has', growth: growthOf(BINS, FLOWS), most: 60 },
  { about: 'bytes behind', growth: growthOf(BINS, FLOWS, [4, 300]), most: 63 },
  { about: 'in another order', growth: growthOf(BINS.toReversed(), FLOWS), most: 60 },
  { about: 'a histogram that no flow has', growth: growthOf([[[5, 1]], ...BINS], FLOWS), most: 65 },
])('growth that tells $about comes back, from a few bytes', ({ growth, most }) => {
  for (const record of [recordOf(FLOWS), recordOf(FLOWS, 3)]) {
    expect(growth.length).toBeGreaterThan(1000);
    expect(leanGrowth(growth, record).length).toBeLessThan(most);
    expect(backFrom(growth, record)).toEqual(growth);
  }
});

test.each([
  { about: 'none', growth: new Uint8Array() },
  { about: 'no growth at all', growth: Uint8Array.of(7, 8) },
  { about: 'one that is cut off', growth: growthOf(BINS, FLOWS).slice(0, -40) },
])('$about comes back as it was', ({ growth }) => {
  expect(backFrom(growth, recordOf(FLOWS))).toEqual(growth);
  expect(backFrom(growth, new Uint8Array())).toEqual(growth);
});

test('any growth comes back, whatever the record', () => {
  const pairs = fc.array(fc.tuple(fc.nat(20), fc.nat(3)), { maxLength: 4 }).map((all): Pairs => {
    const sorted = new Map(all.map(([key, count]) => [key, count + 1]));
    return [...sorted].sort(([a], [b]) => a - b);
  });
  const flows = fc.array(fc.record({ counters: pairs, bins: pairs }), { maxLength: 80 });
  fc.assert(
    fc.property(flows, flows, fc.array(pairs), (recorded, grown, histograms) => {
      const growth = growthOf(histograms, [...recorded, ...grown]);
      expect(backFrom(growth, recordOf(recorded))).toEqual(growth);
    }),
    { numRuns: 200 },
  );
});

test.each([
  { about: 'another record', lean: leanGrowth(growthOf(BINS, FLOWS), recordOf(FLOWS)).slice(), record: recordOf([]) },
  { about: 'too few bytes', lean: Uint8Array.of(1, 0, 1), record: recordOf(FLOWS) },
])('$about: told', ({ lean, record }) => {
  expect(() => growthFrom(lean, record)).toThrow(RangeError);
});
