import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { compileRelabel } from '../../server/discovery/relabel.ts';
import { simpleRegex } from '../../server/discovery/simple-regex.ts';
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
  test('simple patterns match as RE2 does', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      ':',
      '.',
      '\\d',
      '\\w',
      '[ab]',
      '[^:]',
      '\\.',
      'a+',
      'b*',
      '.*',
      '.+?',
      '[^:]+',
      '\\d+',
      'a?',
    );
    const group = fc.tuple(
      fc.constantFrom('(', '(?:'),
      fc.array(piece, { maxLength: 3 }),
      fc.constantFrom(')', ')?', '|b)'),
    );
    const pattern = fc
      .array(
        fc.oneof(
          piece,
          group.map(([open, parts, close]) => open + parts.join('') + close),
        ),
        { minLength: 1, maxLength: 5 },
      )
      .map((parts) => parts.join(''));
    const text = fc
      .array(fc.constantFrom('a', 'b', ':', '1', '.', '\n', 'é', '😀'), { maxLength: 12 })
      .map((parts) => parts.join(''));
    let simple = 0;
    fc.assert(
      fc.property(pattern, text, (source, value) => {
        const quick = simpleRegex(source);
        if (quick === undefined) return;
        simple++;
        const matcher = RE2JS.compile(`^(?s:${source})$`).matcher(value);
        const expected = matcher.find()
          ? Array.from({ length: matcher.groupCount() + 1 }, (_, at) => matcher.group(at) ?? '')
          : null;
        expect(quick.pattern.exec(value)?.map((part: string | undefined) => part ?? '') ?? null, source).toEqual(
          expected,
        );
      }),
      { numRuns: 3000 },
    );
    expect(simple).toBeGreaterThan(1000);
  });

  test.each(['(a+)+', '(a|b)*c', 'a{3}', '\\s', 'a*b*c*d*', '(?i)a', '[[:alpha:]]', '\\pL', '^a', 'é'])(
    '%s is left to RE2',
    (source) => {
      expect(simpleRegex(source)).toBeUndefined();
    },
  );

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
