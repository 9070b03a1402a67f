import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSize, parseSize } from '../../server/model/size.ts';

test.for<[text: string, bytes: number | undefined]>([
  ['16MiB', 16_777_216],
  ['10GiB', 10_737_418_240],
  ['1TiB', 1_099_511_627_776],
  ['4KiB', 4096],
  ['512B', 512],
  ['4096', 4096],
  ['0', 0],
  ['', undefined],
  ['MiB', undefined],
  ['10GB', undefined],
  ['10G', undefined],
  ['1.5GiB', undefined],
  ['-1B', undefined],
  ['16 MiB', undefined],
  ['16mib', undefined],
  ['9999999TiB', undefined],
])('%j is %s bytes', ([text, bytes]) => {
  expect(parseSize(text)).toBe(bytes);
});

test.for<[bytes: number, text: string]>([
  [0, '0B'],
  [1500, '1500B'],
  [1536, '1536B'],
  [4096, '4KiB'],
  [16_777_216, '16MiB'],
  [10_737_418_240, '10GiB'],
])('%s bytes are %s', ([bytes, text]) => {
  expect(formatSize(bytes)).toBe(text);
});

test('what is written can be read', () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
      expect(parseSize(formatSize(bytes))).toBe(bytes);
    }),
  );
});
