import { expect, test } from 'vitest';
import { packBytes, packText, unpackBytes, unpackText } from '../../server/store/sqlite/packed-bytes.ts';

const names = JSON.stringify(Array.from({ length: 300 }, (_, index) => `cluster.cart_${index}.upstream_rq_2xx`));

test.each([
  ['no text', ''],
  ['one that packing makes no shorter', 'ü'],
  ['many names', names],
])('a text comes back as it was: %s', (_, text) => {
  expect(unpackText(packText(text))).toBe(text);
});

test('names that are much the same take a tenth and less; a text of an earlier version is one still', () => {
  expect(packText(names).length).toBeLessThan(names.length / 10);
  expect(unpackText(names)).toBe(names);
});

test.each([Uint8Array.of(), Uint8Array.of(1, 2, 3), Uint8Array.of(9, 0, 0, 0, 1, 2, 3)])(
  'a damaged text is an error: %s',
  (bytes) => {
    expect(() => unpackText(bytes)).toThrow(Error);
  },
);

test('bytes come back as they were', () => {
  for (const plain of [Uint8Array.of(), Uint8Array.of(1, 2, 3), new Uint8Array(10_000)])
    expect([...unpackBytes(packBytes(plain))]).toEqual([...plain]);
});
