import fc from 'fast-check';
import { expect, test } from 'vitest';
import { partsIn, unionOf } from '../../server/store/coverage.ts';
import { Times } from '../../server/store/times.ts';

const interval = fc.tuple(fc.nat(60), fc.nat(20)).map(([from, length]) => ({ from, to: from + length }));

test('times are the union of what was added, in whatever order, and can be cut', () => {
  fc.assert(
    fc.property(fc.array(interval), interval, fc.array(interval), (all, within, later) => {
      const times = new Times();
      times.addAll(all);
      expect(times.intervals()).toEqual(unionOf(all));
      times.cut(within);
      const left = unionOf(partsIn(unionOf(all), within));
      expect(times.intervals()).toEqual(left);
      times.addAll(later);
      expect(times.intervals()).toEqual(unionOf([...left, ...later]));
      times.clear();
      expect(times.isEmpty).toBe(true);
    }),
  );
});
