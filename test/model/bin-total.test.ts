import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BinTotal } from '../../server/model/bin-total.ts';
import { mergeBins, type SparseBins } from '../../server/model/histogram.ts';

const bins = fc
  .uniqueArray(fc.nat(60), { maxLength: 20 })
  .chain((keys) =>
    fc.tuple(
      fc.constant(keys.toSorted((a, b) => a - b)),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: keys.length, maxLength: keys.length }),
    ),
  )
  .map(([keys, counts]): SparseBins => ({ keys, counts }));

test('a total that grows in place is the sum of what was added', () => {
  fc.assert(
    fc.property(fc.array(bins), (all) => {
      const total = new BinTotal();
      for (const one of all) total.add(one);
      expect({ keys: total.keys, counts: total.counts }).toEqual(mergeBins(all));
    }),
  );
});
