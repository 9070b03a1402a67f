import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VarintReader, VarintWriter } from '../../server/model/varint.ts';

function written(numbers: readonly number[], initialBytes?: number): Uint8Array {
  const writer = new VarintWriter(initialBytes);
  for (const number of numbers) writer.write(number);
  return writer.finish();
}

function read(bytes: Uint8Array): number[] {
  const reader = new VarintReader(bytes);
  const numbers: number[] = [];
  while (!reader.done) numbers.push(reader.read());
  return numbers;
}

test.each([
  [0, [0]],
  [127, [127]],
  [128, [0x80, 1]],
  [300, [0xac, 2]],
  [16_383, [0xff, 0x7f]],
  [2 ** 31, [0x80, 0x80, 0x80, 0x80, 8]],
  [2 ** 32, [0x80, 0x80, 0x80, 0x80, 16]],
  [Number.MAX_SAFE_INTEGER, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 15]],
])('%d is %j', (number, bytes) => {
  expect([...written([number])]).toEqual(bytes);
  expect(read(Uint8Array.from(bytes))).toEqual([number]);
});

test('any list of numbers is read as it was written, whatever space was foreseen', () => {
  const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
  fc.assert(
    fc.property(fc.array(number, { maxLength: 300 }), fc.nat(64), (numbers, initialBytes) => {
      expect(read(written(numbers, initialBytes))).toEqual(numbers);
    }),
  );
});

test('a number that is cut off is an error', () => {
  const bytes = written([Number.MAX_SAFE_INTEGER]);
  expect(() => new VarintReader(bytes.subarray(0, -1)).read()).toThrow(RangeError);
  expect(() => new VarintReader(new Uint8Array()).read()).toThrow('cut off');
});

test('what was finished does not change with what is written later', () => {
  const writer = new VarintWriter();
  writer.write(1);
  const first = writer.finish();
  writer.write(2);
  expect([...first]).toEqual([1]);
  expect([...writer.finish()]).toEqual([1, 2]);
});
