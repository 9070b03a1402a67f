import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BinTotal } from '../../server/model/bin-total.ts';
import { BinTotals } from '../../server/model/bin-totals.ts';

const PLACES = 4;
const bins = fc
  .uniqueArray(fc.tuple(fc.oneof(fc.nat(60), fc.nat(200_000)), fc.integer({ min: 1, max: 2 ** 40 })), {
    selector: ([key]) => key,
    maxLength: 30,
  })
  .map((all) => {
    const sorted = all.toSorted(([a], [b]) => a - b);
    return { keys: sorted.map(([key]) => key), counts: sorted.map(([, count]) => count) };
  });

test('many histograms in few arrays hold what each would hold alone, whatever is added in whatever order', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.tuple(fc.nat(PLACES - 1), bins), { maxLength: 6 }), { maxLength: 6 }), (added) => {
      const together = new BinTotals();
      together.grow(PLACES);
      const alone = Array.from({ length: PLACES }, () => new BinTotal());
      for (const scrape of added) {
        together.addAll(
          scrape.map(([place]) => place),
          scrape.map(([, one]) => ({ bins: one })),
        );
        for (const [place, one] of scrape) alone[place]?.add(one);
      }
      const copy = new BinTotals();
      copy.take(together);
      for (const totals of [together, copy])
        expect(alone.map((_, place) => totals.at(place))).toEqual(alone.map(({ keys, counts }) => ({ keys, counts })));
    }),
  );
});

test('a copy stays as it is when more is added, and so do those that were there when there are more histograms', () => {
  const totals = new BinTotals();
  totals.grow(1);
  totals.addAll([0], [{ bins: { keys: [3], counts: [5] } }]);
  const copy = new BinTotals();
  copy.take(totals);
  totals.grow(3);
  const added = [
    { keys: [1, 70_000], counts: [1, 2 ** 33] },
    { keys: [2, 3], counts: [1, 1] },
  ];
  totals.addAll(
    [2, 0],
    added.map((bins) => ({ bins })),
  );
  expect([totals.at(0), totals.at(1), totals.at(2)]).toEqual([
    { keys: [2, 3], counts: [1, 6] },
    { keys: [], counts: [] },
    { keys: [1, 70_000], counts: [1, 2 ** 33] },
  ]);
  expect([copy.size, copy.at(0)]).toEqual([1, { keys: [3], counts: [5] }]);
  copy.take(totals);
  expect([copy.size, copy.at(2)]).toEqual([3, { keys: [1, 70_000], counts: [1, 2 ** 33] }]);
});
