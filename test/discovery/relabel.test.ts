import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileRelabel } from '../../server/discovery/relabel.ts';
import { RELABEL_CASES } from './relabel-cases.ts';
import { relabelled, rulesOf } from './relabelling.ts';

test.each(RELABEL_CASES)('$name', ({ rules, before, after }) => {
  expect(relabelled(rules, before)).toEqual(after);
});

test('a rule that drops is named', () => {
  const relabel = compileRelabel(
    rulesOf([
      { target_label: 'a', replacement: 'x' },
      { action: 'drop', source_labels: ['a'], regex: 'x' },
    ]),
  );
  expect(relabel({ b: 'c' })).toEqual({ droppedBy: 1 });
});

test('labels are not changed in place', () => {
  const before = Object.freeze({ a: 'x' });
  expect(compileRelabel(rulesOf([{ target_label: 'b', replacement: 'y' }]))(before)).toEqual({
    labels: { a: 'x', b: 'y' },
  });
});

describe('properties', () => {
  const value = fc.string({ maxLength: 20 });

  test('the default rule copies any value', () => {
    const relabel = compileRelabel(rulesOf([{ source_labels: ['a'], target_label: 'b' }]));
    fc.assert(
      fc.property(value, (text) => {
        const result = relabel({ a: text });
        expect('labels' in result && (result.labels.b ?? '')).toBe(text);
      }),
    );
  });

  test('shares of hashmod are whole numbers below the modulus, the same for equal values', () => {
    const relabel = compileRelabel(
      rulesOf([{ action: 'hashmod', source_labels: ['a'], target_label: 'b', modulus: 5 }]),
    );
    fc.assert(
      fc.property(value, (text) => {
        const result = relabel({ a: text });
        expect('labels' in result && result.labels.b).toMatch(/^[0-4]$/);
        expect(relabel({ a: text })).toEqual(result);
      }),
    );
  });

  test('values that are remembered give what they gave first, however many there are', () => {
    const relabel = compileRelabel(
      rulesOf([{ source_labels: ['a'], target_label: 'b', regex: '(\\d+)x', replacement: '<$1>' }]),
    );
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 5000; i++) expect(relabel({ a: `${i}x` })).toEqual({ labels: { a: `${i}x`, b: `<${i}>` } });
    }
  });
});
