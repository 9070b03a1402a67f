/** How much code the dashboard sends, packed as it goes over the wire. */

import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { beforeAll, expect, test } from 'vitest';

const KB = 1000;
/** What is left out of the libraries, by web/build, would be 16 kB more. */
const MOST = { firstPage: 60 * KB, all: 120 * KB };

interface Script {
  readonly name: string;
  readonly bytes: number;
  readonly code: string;
  /** Scripts that come with it. */
  readonly imports: readonly string[];
  readonly isEntry: boolean;
}

let scripts: Script[];

beforeAll(async () => {
  process.env.NODE_ENV = 'production';
  const built = await build({
    configFile: join(import.meta.dirname, '../../web/vite.config.ts'),
    logLevel: 'error',
    build: { write: false },
  });
  const outputs = (Array.isArray(built) ? built : [built]) as Rolldown.RolldownOutput[];
  scripts = outputs.flatMap(({ output }) =>
    output
      .filter(({ fileName }) => fileName.endsWith('.js'))
      .map((each) => {
        const code = each.type === 'chunk' ? each.code : String(each.source);
        return {
          name: each.fileName,
          bytes: gzipSync(code, { level: 9 }).length,
          code,
          imports: each.type === 'chunk' ? each.imports : [],
          isEntry: each.type === 'chunk' && each.isEntry,
        };
      }),
  );
});

function firstPage(): Script[] {
  const entry = scripts.find(({ isEntry }) => isEntry);
  return scripts.filter(({ name }) => name === entry?.name || entry?.imports.includes(name));
}

const sum = (list: readonly Script[]) => list.reduce((total, { bytes }) => total + bytes, 0);

test('the first page', () => {
  console.log(`first page: ${(sum(firstPage()) / KB).toFixed(1)} kB gzip`);
  expect(firstPage().length).toBeGreaterThan(1);
  expect(sum(firstPage())).toBeLessThan(MOST.firstPage);
});

test('all pages together', () => {
  console.log(scripts.map(({ name, bytes }) => `${(bytes / KB).toFixed(1).padStart(6)} kB ${name}`).join('\n'));
  console.log(`all: ${(sum(scripts) / KB).toFixed(1)} kB gzip`);
  expect(sum(scripts)).toBeLessThan(MOST.all);
});

test('what draws charts and lays out graphs comes only where it is needed', () => {
  const having = (words: string) => scripts.filter(({ code }) => code.includes(words)).map(({ name }) => name);
  expect(having('maintainAspectRatio')).toEqual([expect.stringContaining('chart-panel')]);
  expect(having('tight-tree')).toEqual([expect.stringContaining('layout-worker')]);
});
