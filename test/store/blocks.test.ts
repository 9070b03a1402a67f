import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Block, type BlockSeries, BlockWriter, readBlock, readBlockHead } from '../../server/store/blocks.ts';

const FROM = 1_790_000_000_000;

/** Counts of a column: mostly zeros, small counts, counts around a mean, and numbers as large as bytes get. */
const count = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 20 }) },
  { weight: 2, arbitrary: fc.integer({ min: 900, max: 1100 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 50 }) },
);

const column = (slots: number) => fc.array(count, { minLength: slots, maxLength: slots });

const columns = (slots: number, largestKey: number) =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: largestKey }), { maxLength: 12 })
    .chain((keys) =>
      fc.tuple(...keys.map((key) => column(slots).map((values) => [key, Float64Array.from(values)] as const))),
    )
    .map((entries) => new Map([...entries].sort(([a], [b]) => a - b)));

const block: fc.Arbitrary<Block> = fc.integer({ min: 1, max: 200 }).chain((slots) =>
  fc
    .array(fc.record({ numbers: columns(slots, 40), bins: columns(slots, 900_000) }), { maxLength: 5 })
    .map((series) => ({
      fromMs: FROM,
      stepMs: 10_000,
      slots,
      series: series.map((entry, index) => ({ id: 7 * index, ...entry })),
    })),
);

type Told = Map<number, { numbers: Map<number, number[]>; bins: Map<number, number[]> }>;

function read(bytes: Uint8Array, wanted: (id: number) => boolean = () => true, bins = true): Told {
  const told: Told = new Map();
  let current: { numbers: Map<number, number[]>; bins: Map<number, number[]> } | undefined;
  readBlock(bytes, {
    series(id) {
      if (!wanted(id)) return false;
      current = told.get(id) ?? { numbers: new Map(), bins: new Map() };
      told.set(id, current);
      return true;
    },
    number: (at, values) => void current?.numbers.set(at, [...values]),
    ...(bins ? { bin: (key: number, counts: Float64Array) => void current?.bins.set(key, [...counts]) } : {}),
  });
  return told;
}

function expected(series: readonly BlockSeries[]): Told {
  const plain = (map: ReadonlyMap<number, Float64Array>) =>
    new Map([...map].map(([key, values]) => [key, [...values]]));
  return new Map(series.map(({ id, numbers, bins }) => [id, { numbers: plain(numbers), bins: plain(bins) }]));
}

describe('a block', () => {
  test('holds every number that was put in, whatever it is', () => {
    const writer = new BlockWriter();
    fc.assert(
      fc.property(block, (written) => {
        const bytes = writer.encode(written);
        expect(read(bytes)).toEqual(expected(written.series));
        expect(readBlockHead(bytes)).toMatchObject({ fromMs: FROM, stepMs: 10_000, slots: written.slots });
      }),
      { numRuns: 300 },
    );
  });

  test('tells the series that are asked for, and no histograms when none are', () => {
    const writer = new BlockWriter();
    fc.assert(
      fc.property(block, fc.integer({ min: 0, max: 4 }), (written, wanted) => {
        const bytes = writer.encode(written);
        const one = written.series.filter(({ id }) => id === 7 * wanted);
        expect(read(bytes, (id) => id === 7 * wanted)).toEqual(expected(one));
        expect(read(bytes, undefined, false)).toEqual(
          expected(written.series.map((series) => ({ ...series, bins: new Map() }))),
        );
      }),
      { numRuns: 100 },
    );
  });

  test('that is damaged is refused, not misread', () => {
    const values = Float64Array.from({ length: 60 }, (_, slot) => 100 + ((slot * 37) % 23));
    const whole = new BlockWriter().encode({
      fromMs: FROM,
      stepMs: 1000,
      slots: 60,
      series: [{ id: 1, numbers: new Map([[0, values]]), bins: new Map([[100, values]]) }],
    });
    const misread = [];
    for (let at = 0; at < whole.length; at++) {
      const damaged = Uint8Array.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      const truth = JSON.stringify([
        ...expected([{ id: 1, numbers: new Map([[0, values]]), bins: new Map([[100, values]]) }]),
      ]);
      try {
        const told = read(damaged);
        if (JSON.stringify([...told]) !== truth) misread.push(at);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }
    const head = readBlockHead(whole);
    expect(misread).toEqual([]);
    expect(head.slots).toBe(60);
    expect(() => read(whole.subarray(0, whole.length - 1))).toThrow(/another length/);
    expect(() => read(new Uint8Array(0))).toThrow(RangeError);
  });
});
