import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig } from '../../server/config/load.ts';

const KEYS = [
  'scrape',
  'interval',
  'discovery',
  'static',
  'targets',
  'labels',
  'peers',
  'match',
  'service',
  'local',
  'storage',
];
const MORE_KEYS = [
  'retention',
  'raw',
  '1m',
  'exporter',
  'buckets',
  'web',
  'listen',
  'trace_url',
  'log',
  'level',
  'alerts',
  '<<',
];
const SCRAPS = [
  '- ',
  '{ ',
  ' }',
  '[',
  ']',
  ', ',
  '"',
  "'",
  '\n',
  '\n  ',
  '\n    ',
  '\t',
  '&a ',
  '*a',
  '!!str ',
  '!x ',
  '|',
  '# ',
  '---',
  '%',
];
const VALUES = [
  '5s',
  '15',
  '1.5',
  '~',
  'true',
  'host:1',
  'unix:/a',
  '(',
  '$1',
  '.inf',
  '0x1f',
  '__proto__: 1',
  'constructor: 1',
  '\0',
  '\ud800',
];

const word = fc.constantFrom(...[...KEYS, ...MORE_KEYS].map((key) => `${key}: `), ...SCRAPS, ...VALUES);
const yamlish = fc.array(fc.oneof(word, fc.string({ maxLength: 3 })), { maxLength: 40 }).map((parts) => parts.join(''));

const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(...VALUES, null, 5, -1, 0.5, true, ''),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS, ...MORE_KEYS, '__proto__', 'constructor', 'toString'), tie('value'), {
      maxKeys: 4,
    }),
  ),
})).value;

function expectErrorsOrConfig(text: string): void {
  const loaded = parseConfig(text, 'conf.yaml', { targets: ['flag:1'] });
  if ('config' in loaded) {
    expect(loaded.config.scrape.timeoutMs).toBeLessThanOrEqual(loaded.config.scrape.intervalMs);
    return;
  }
  expect(loaded.errors.length).toBeGreaterThan(0);
  for (const error of loaded.errors) expect(error).toMatch(/^(?:conf\.yaml:(?:\d+:)*|--target=flag:1:) [^\n\r]+$/);
}

test('any text yields a configuration or errors of one line', () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), yamlish), expectErrorsOrConfig), { numRuns: 2000 });
});

test('any tree of known and odd keys does too', () => {
  fc.assert(
    fc.property(tree, (value) => expectErrorsOrConfig(JSON.stringify(value))),
    { numRuns: 1000 },
  );
});
