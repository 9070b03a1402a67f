import type { ConfigTree } from './document.ts';
import type { KeyPath, Problem } from './problem.ts';

/** Values from the command line, as they were typed; each beats the file's. */
export interface ConfigFlags {
  /** `127.0.0.1:9901` or with labels `127.0.0.1:9901,service=a,region=eu`; added to the file's targets. */
  readonly targets?: readonly string[];
  readonly listenAddress?: string;
  readonly webConfigFile?: string;
  readonly storagePath?: string;
  readonly scrapeInterval?: string;
  readonly logLevel?: string;
  readonly logFormat?: string;
}

type SimpleFlag = Exclude<keyof ConfigFlags, 'targets'>;

/** The command line's name of each flag, and the key of the file that it stands for. */
export const FLAGS: Readonly<Record<SimpleFlag, { readonly name: string; readonly path: KeyPath }>> = {
  listenAddress: { name: '--web.listen-address', path: ['web', 'listen'] },
  webConfigFile: { name: '--web.config.file', path: ['web', 'config_file'] },
  storagePath: { name: '--storage.path', path: ['storage', 'path'] },
  scrapeInterval: { name: '--scrape.interval', path: ['scrape', 'interval'] },
  logLevel: { name: '--log.level', path: ['log', 'level'] },
  logFormat: { name: '--log.format', path: ['log', 'format'] },
};

/** Puts the flags' values into the file's tree, so that both go through the same checks. */
export function applyFlags(tree: ConfigTree, flags: ConfigFlags): void {
  for (const [key, { name, path }] of Object.entries(FLAGS) as [SimpleFlag, (typeof FLAGS)[SimpleFlag]][]) {
    const value = flags[key];
    if (value !== undefined) put(tree, path, { value, flag: `${name}=${value}` });
  }
  for (const text of flags.targets ?? []) tree.problems.push(...addTarget(tree, text));
}

function put(tree: ConfigTree, [section, key]: KeyPath, { value, flag }: { value: string; flag: string }): void {
  if (section === undefined || key === undefined) return;
  const map = mapIn(tree.value, section);
  if (map === undefined) return;
  map[key] = value;
  tree.origins.set([section, key], { flag });
}

function addTarget(tree: ConfigTree, text: string): Problem[] {
  const discovery = mapIn(tree.value, 'discovery');
  if (discovery === undefined) return [];
  discovery.static ??= [];
  const groups = discovery.static;
  if (!Array.isArray(groups)) return [];
  const path = ['discovery', 'static', groups.length];
  tree.origins.set(path, { flag: `--target=${text}` });
  const [address = '', ...pairs] = text.split(',');
  const { labels, problems } = parseLabels(pairs, path);
  groups.push({ targets: [address], labels });
  return problems;
}

function parseLabels(pairs: readonly string[], path: KeyPath): { labels: Record<string, string>; problems: Problem[] } {
  const labels: Record<string, string> = Object.create(null);
  const problems: Problem[] = [];
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals);
    if (equals < 1) problems.push({ path, message: `${JSON.stringify(pair)} is not a label; write name=value` });
    else if (name in labels) problems.push({ path, message: `the label ${name} stands twice; remove one` });
    else labels[name] = pair.slice(equals + 1);
  }
  return { labels, problems };
}

/** The map under `key`, made when there is none; undefined when something else stands there, which the checks tell. */
function mapIn(tree: unknown, key: string | number): Record<string, unknown> | undefined {
  if (!isMap(tree)) return undefined;
  tree[key] ??= {};
  const value = tree[key];
  return isMap(value) ? value : undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
