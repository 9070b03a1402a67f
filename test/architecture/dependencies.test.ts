import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const PROJECT = join(import.meta.dirname, '../..');
/** Licences that let a program be passed on with what is under them; MPL asks for changes to its own files only. */
const ALLOWED = ['Apache-2.0', 'MIT', 'ISC', 'BSD-3-Clause', 'MIT OR Apache-2.0'];
const ALLOWED_IN_TESTS = [...ALLOWED, 'MPL-2.0'];

interface Manifest {
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(PROJECT, folder, 'package.json'), 'utf8'));
}

test('CONTRIBUTING.md lists every package with its licence and what it is for', () => {
  const { dependencies = {}, devDependencies = {} } = manifest('.');
  const text = readFileSync(join(PROJECT, 'CONTRIBUTING.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (?!package )(\S+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, name, licence, reason = '']) => {
      expect(reason.length, name).toBeGreaterThan(3);
      return [name, licence];
    },
  );
  const names = [...Object.keys(dependencies), ...Object.keys(devDependencies)];
  expect(rows).toEqual(names.map((name) => [name, manifest(`node_modules/${name}`).license]));
});

test('licences let the packages be passed on', () => {
  const { dependencies = {}, devDependencies = {} } = manifest('.');
  for (const name of Object.keys(dependencies)) expect(ALLOWED).toContain(manifest(`node_modules/${name}`).license);
  for (const name of Object.keys(devDependencies))
    expect(ALLOWED_IN_TESTS).toContain(manifest(`node_modules/${name}`).license);
});

test('every package is of one exact version, and no registry is named', () => {
  const { dependencies = {}, devDependencies = {} } = manifest('.');
  for (const version of Object.values({ ...dependencies, ...devDependencies }))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(readFileSync(join(PROJECT, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "http/);
});
