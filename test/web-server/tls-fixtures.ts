import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Path of a file of test/fixtures/tls. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
}

export function fixtureText(name: string): string {
  return readFileSync(fixture(name), 'utf8');
}
