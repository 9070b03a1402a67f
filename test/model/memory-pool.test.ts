import { expect, test } from 'vitest';
import { MemoryPool } from '../../server/model/memory-pool.ts';

const SMALL = 16;
const pool = () => new MemoryPool({ smallestBytes: SMALL, mostKeptBytes: 1024 });
const isFreed = (memory: Buffer): boolean => memory.buffer.byteLength === 0;

test('a piece that is given back is the next one of its size', () => {
  const memory = pool();
  const piece = memory.take(17);
  expect(piece.length).toBe(2 * SMALL);
  memory.release(piece);
  expect(memory.take(SMALL)).not.toBe(piece);
  expect(memory.take(2 * SMALL)).toBe(piece);
});

test('what is given back beyond the limit is freed at once', () => {
  const memory = pool();
  const [large, other] = [memory.take(1024), memory.take(1024)];
  memory.release(large);
  memory.release(other);
  expect([large, other].map(isFreed)).toEqual([false, true]);
});

test('pieces that a rush needed are freed when nobody took them for long; those in use stay', () => {
  const memory = pool();
  const rush = Array.from({ length: 10 }, () => memory.take(SMALL));
  for (const piece of rush) memory.release(piece);
  for (let i = 0; i < 10_000; i++) {
    const both = [memory.take(SMALL), memory.take(SMALL)];
    for (const piece of both) memory.release(piece);
  }
  expect(rush.map(isFreed).filter(Boolean)).toHaveLength(8);
  expect(isFreed(memory.take(SMALL))).toBe(false);
});
