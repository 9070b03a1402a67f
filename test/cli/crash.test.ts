import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runScript } from './sidelight.ts';

const SCRIPT = join(import.meta.dirname, 'crash-script.ts');

test.for(['throw', 'reject'])('an error that nobody handles (%s) is one line', async (how) => {
  const { code, err } = await runScript(SCRIPT, ['info', how], import.meta.dirname);
  expect(code).toBe(1);
  expect(err.map((line) => line.replace(/^\S+ /, ''))).toEqual([
    'FATAL stopped by an unexpected error: a fault of the program',
  ]);
});

test('at level debug its stack is on that line', async () => {
  const { code, err } = await runScript(SCRIPT, ['debug', 'throw'], import.meta.dirname);
  expect({ code, lines: err.length }).toEqual({ code: 1, lines: 1 });
  expect(err[0]).toContain('crash-script.ts');
});
