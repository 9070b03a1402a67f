import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BinTotal } from '../../server/model/bin-total.ts';
import { addGrowth, foldGrowth, GrowthSum } from '../../server/model/growth.ts';

const PLACES = 5;
const KEYS = 200;
const place = fc.nat(PLACES - 1);
const count = fc.integer({ min: 1, max: 2 ** 40 });
const bins = fc
  .dictionary(fc.nat(KEYS).map(String), count, { maxKeys: 8 })
  .map((counts) => ({ keys: Object.keys(counts).map(Number), counts: Object.values(counts) }));

/** Growth of one scrape. */
const growth = fc
  .record({
    values: fc.array(fc.tuple(place, fc.integer({ min: -(2 ** 40), max: 2 ** 40 }))),
    histograms: fc.array(fc.tuple(place, bins)),
    counters: fc.array(fc.tuple(place, place, count)),
    bins: fc.array(fc.tuple(place, bins)),
    hosts: fc.array(fc.tuple(place, fc.integer({ min: -(2 ** 40), max: 2 ** 40 }))),
  })
  .map((all) => {
    const sum = new GrowthSum();
    for (const one of all.values) sum.value(...one);
    for (const one of all.histograms) sum.histogram(...one);
    for (const one of all.counters) sum.counter(...one);
    for (const one of all.bins) sum.bins(...one);
    for (const one of all.hosts) sum.host(...one);
    return sum.finish();
  });

const totals = () => ({
  values: new Float64Array(PLACES).fill(1000),
  histograms: Array.from({ length: PLACES }, () => new BinTotal()),
  flows: Array.from({ length: PLACES }, () => ({ counters: new Float64Array(PLACES), bins: new BinTotal() })),
  hosts: new Float64Array(PLACES).fill(1000),
});

test('growth of several scrapes as one adds what all of them add', () => {
  fc.assert(
    fc.property(fc.array(growth, { minLength: 2, maxLength: 8 }), (all) => {
      const [oneByOne, atOnce] = [totals(), totals()];
      for (const one of all) addGrowth(oneByOne, one);
      const folded = foldGrowth(all);
      expect(folded).toHaveLength(1);
      for (const one of folded) addGrowth(atOnce, one);
      expect(atOnce).toEqual(oneByOne);
    }),
  );
});

const large = (value: number): Uint8Array => {
  const sum = new GrowthSum();
  sum.value(0, value);
  return sum.finish();
};

test.each([
  ['that is cut off', [Uint8Array.of(1, 2, 0, 0, 0), Uint8Array.of(1, 2, 0)]],
  ['that is more than can be told at once', [large(2 ** 50), large(2 ** 50)]],
])('growth %s stays as it is', (_, all) => {
  expect(foldGrowth(all)).toEqual(all);
});
