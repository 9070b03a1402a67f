import { posix } from 'node:path';

/** Folders and files of server/ from the lowest level to the highest; those of one level never import each other. */
const LEVELS: readonly (readonly string[])[] = [
  ['model'],
  ['config', 'telemetry'],
  ['envoy', 'reach'],
  ['discovery', 'scrape', 'mesh', 'store', 'live'],
  ['measure'],
  ['api', 'exporter', 'alerts', 'web-server'],
  ['collector'],
  ['demo'],
  ['cli'],
  ['main'],
];

/** Files directly in server/ that are parts of the composition root, besides collector.ts. */
const COMPOSITION_ROOT = /^server\/(?:collector(?:-[a-z-]+)?|pipeline|rounds|tick-clock)\.ts$/;

/** Levels from this part on work with the configuration itself; those below know its types only. */
const CONFIG_VALUES_FROM = 'collector';

/** Packages that only these folders import. */
const PACKAGE_HOMES: Readonly<Record<string, readonly string[]>> = {
  'chart.js': ['web/charts/'],
  '@dagrejs/dagre': ['web/pages/topology/'],
  'better-sqlite3': ['server/store/sqlite/'],
  undici: [
    'server/scrape/',
    'server/discovery/',
    'server/reach/',
    'server/exporter/',
    'server/cli/',
    'server/demo/',
    'examples/',
  ],
  snappy: ['server/exporter/remote-write/'],
  commander: ['server/cli/'],
  bcrypt: ['server/api/'],
};

export interface SourceFile {
  /** Relative to the project's folder, with forward slashes. */
  readonly path: string;
  readonly source: string;
}

interface Import {
  /** A path like that of a `SourceFile`, or the name of a package or of one of Node's modules. */
  readonly target: string;
  readonly local: boolean;
  readonly typeOnly: boolean;
}

/** Every import that points the wrong way, one line each. */
export function importViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file).flatMap((imported) => {
      const reason = imported.local ? localReason(file.path, imported) : packageReason(file.path, imported.target);
      return reason === undefined ? [] : [`${file.path} imports ${imported.target}: ${reason}`];
    }),
  );
}

/** Static and dynamic imports, re-exports, and modules that are started as workers or processes. */
export function importsOf({ path, source }: SourceFile): Import[] {
  const code = source.replaceAll(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statements = /\b(?:import|export)\s+(type\s+)?[\w*{}\s,$]+?\s+from\s*['"]([^'"]+)['"]/g;
  const others =
    /\bimport\s*\(?\s*()['"]([^'"]+)['"]|\bnew URL\(\s*()['"](\.[^'"]+\.tsx?)['"]\s*,\s*import\.meta\.url/g;
  return [...code.matchAll(statements), ...code.matchAll(others)].map((match) => {
    const name = match[2] ?? match[4] ?? '';
    const local = name.startsWith('.');
    const target = local ? posix.join(posix.dirname(path), name) : packageOf(name);
    return { target, local, typeOnly: Boolean(match[1]) };
  });
}

function packageOf(name: string): string {
  return name.startsWith('node:') ? name : name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}

function packageReason(path: string, name: string): string | undefined {
  if (partOf(path) === 'model') return 'model imports nothing outside model';
  const homes = PACKAGE_HOMES[name];
  if (homes === undefined || homes.some((home) => path.startsWith(home))) return undefined;
  return `only ${homes.join(', ')} may`;
}

function localReason(path: string, { target, typeOnly }: Import): string | undefined {
  const [from] = path.split('/');
  const [to] = target.split('/');
  if (from === 'web') return webReason(target, typeOnly);
  if (from === 'examples')
    return to === 'examples' || partOf(target) === 'demo' ? undefined : 'examples know server/demo only';
  if (to !== 'server' && target !== 'package.json') return 'server imports from server only';
  return target === 'package.json' ? undefined : serverReason(path, target, typeOnly);
}

function webReason(target: string, typeOnly: boolean): string | undefined {
  if (target.startsWith('web/')) return undefined;
  if (target !== 'server/api/contract.ts') return 'web imports server/api/contract.ts only';
  return typeOnly ? undefined : 'web imports types only';
}

function serverReason(path: string, target: string, typeOnly: boolean): string | undefined {
  const [from, to] = [partOf(path), partOf(target)];
  const [fromLevel, toLevel] = [levelOf(from), levelOf(to)];
  if (fromLevel === -1) return `${path} has no level; add it to the test`;
  if (from === to) return undefined;
  if (toLevel > fromLevel || toLevel === -1) return `${from} is below ${to}`;
  if (toLevel === fromLevel) return `${from} and ${to} are on one level`;
  if (to === 'config' && !typeOnly && fromLevel < levelOf(CONFIG_VALUES_FROM))
    return `${from} imports types of config only`;
  return undefined;
}

/** The part of server/ that a file belongs to; empty outside of server/. */
function partOf(path: string): string {
  if (COMPOSITION_ROOT.test(path)) return 'collector';
  return /^server\/([^/.]+)(?:\/|\.ts$)/.exec(path)?.[1] ?? '';
}

function levelOf(part: string): number {
  return LEVELS.findIndex((parts) => parts.includes(part));
}
