import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, importViolations, type SourceFile } from './import-rules.ts';

const PROJECT = join(import.meta.dirname, '../..');
const BUILT = /^web\/dist\//;

function sourceFiles(): SourceFile[] {
  return ['server', 'web', 'examples'].flatMap((folder) =>
    readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name}`)
      .filter((path) => /\.tsx?$/.test(path) && !BUILT.test(path))
      .map((path) => ({ path, source: readFileSync(join(PROJECT, path), 'utf8') })),
  );
}

test('imports of the project point down only', () => {
  const files = sourceFiles();
  expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(['server/main.ts', 'server/model/duration.ts']));
  expect(importViolations(files)).toEqual([]);
});

const violations: [path: string, source: string, reason: string | undefined][] = [
  ['server/model/a.ts', "import { b } from './b.ts';", undefined],
  ['server/model/a.ts', "import { readFile } from 'node:fs';", 'node:fs: model imports nothing outside model'],
  ['server/model/a.ts', "import { z } from 'zod';", 'zod: model imports nothing outside model'],
  ['server/model/a.ts', "import type { A } from '../api/contract.ts';", 'server/api/contract.ts: model is below api'],
  ['server/envoy/a.ts', "import { a } from '../model/a.ts';", undefined],
  ['server/envoy/a.ts', "import { a } from '../mesh/a.ts';", 'server/mesh/a.ts: envoy is below mesh'],
  ['server/store/sqlite/a.ts', "import { a } from '../store.ts';", undefined],
  [
    'server/store/sqlite/a.ts',
    "import { a } from '../../live/a.ts';",
    'server/live/a.ts: store and live are on one level',
  ],
  ['server/live/a.ts', "export * from '../mesh/a.ts';", 'server/mesh/a.ts: live and mesh are on one level'],
  ['server/live/a.ts', "const a = await import('../api/a.ts');", 'server/api/a.ts: live is below api'],
  ['server/live/a.ts', "import '../api/a.ts';", 'server/api/a.ts: live is below api'],
  ['server/live/a.ts', "new Worker(new URL('../api/a.ts', import.meta.url))", 'server/api/a.ts: live is below api'],
  [
    'server/api/a.ts',
    "import {\n  a,\n  b,\n} from '../exporter/a.ts';",
    'server/exporter/a.ts: api and exporter are on one level',
  ],
  ['server/api/a.ts', "import type { Config } from '../config/config.ts';", undefined],
  [
    'server/api/a.ts',
    "import { VERSION } from '../config/version.ts';",
    'server/config/version.ts: api imports types of config only',
  ],
  ['server/api/a.ts', "import { s } from '../collector.ts';", 'server/collector.ts: api is below collector'],
  ['server/pipeline.ts', "import { a } from './mesh/a.ts';", undefined],
  ['server/pipeline.ts', "import { a } from './collector.ts';", undefined],
  ['server/collector.ts', "import { a } from './cli/a.ts';", 'server/cli/a.ts: collector is below cli'],
  ['server/demo/a.ts', "import { a } from '../cli/a.ts';", 'server/cli/a.ts: demo is below cli'],
  ['server/cli/a.ts', "import { a } from '../main.ts';", 'server/main.ts: cli is below main'],
  [
    'server/extra/a.ts',
    "import { a } from '../model/a.ts';",
    'server/model/a.ts: server/extra/a.ts has no level; add it to the test',
  ],
  [
    'server/extra.ts',
    "import { a } from './model/a.ts';",
    'server/model/a.ts: server/extra.ts has no level; add it to the test',
  ],
  ['server/api/a.ts', "import { a } from '../extra/a.ts';", 'server/extra/a.ts: api is below extra'],
  ['server/api/a.ts', "import { a } from '../../web/a.ts';", 'web/a.ts: server imports from server only'],
  ['server/config/version.ts', "import m from '../../package.json' with { type: 'json' };", undefined],
  [
    'server/api/a.ts',
    "import { request } from 'undici';",
    'undici: only server/scrape/, server/discovery/, server/reach/, server/exporter/, server/cli/, server/demo/, examples/ may',
  ],
  ['server/store/a.ts', "import Database from 'better-sqlite3';", 'better-sqlite3: only server/store/sqlite/ may'],
  ['web/pages/a.tsx', "import { Chart } from 'chart.js/auto';", 'chart.js: only web/charts/ may'],
  ['web/charts/a.ts', "import { Chart } from 'chart.js';", undefined],
  ['web/a.ts', "import type { Tick } from '../server/api/contract.ts';", undefined],
  [
    'web/a.ts',
    "import { type Tick } from '../server/api/contract.ts';",
    'server/api/contract.ts: web imports types only',
  ],
  [
    'web/a.ts',
    "import type { A } from '../server/model/a.ts';",
    'server/model/a.ts: web imports server/api/contract.ts only',
  ],
  ['examples/meshes/a.ts', "import type { A } from '../../server/demo/mesh.ts';", undefined],
  [
    'examples/meshes/a.ts',
    "import { a } from '../../server/model/a.ts';",
    'server/model/a.ts: examples know server/demo only',
  ],
];

test.for(violations)('%s with %j: %s', ([path, source, reason]) => {
  expect(importViolations([{ path, source }])).toEqual(reason === undefined ? [] : [`${path} imports ${reason}`]);
});

test('comments hold no imports', () => {
  const source = "/** import { a } from './a.ts' */\n// import './b.ts';\nimport { c } from './c.ts';\n";
  expect(importsOf({ path: 'server/api/x.ts', source }).map(({ target }) => target)).toEqual(['server/api/c.ts']);
});
