import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BUILTIN_RULES } from '../../server/alerts/builtin-rules.ts';
import { parseConfig } from '../../server/config/load.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../../docs/alerts.md'), 'utf8');

test('the example of the documentation is a valid configuration', () => {
  const yaml = /```yaml\n(.*?)```/s.exec(TEXT)?.[1] ?? '';
  const loaded = parseConfig(yaml, 'docs/alerts.md');
  expect(loaded).not.toHaveProperty('errors');
  expect('config' in loaded && loaded.config.alerts.rules).toHaveLength(4);
});

test('the documentation lists the built-in rules', () => {
  const listed = [...TEXT.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(listed).toEqual(BUILTIN_RULES.map(({ name }) => name));
});
