import { dirname, resolve } from 'node:path';
import { NamedFileError } from '../model/named-file-error.ts';
import type { ConfigTree } from './document.ts';
import { formatPath, type KeyPath } from './problem.ts';

/** Where files are named, by their absolute paths: `sidelight.yaml:4: web.tls.cert_file`. */
export type NamedFiles = ReadonlyMap<string, string>;

/** Every file that a configuration names, each where it is named first. */
export function namedFiles({ value, origins }: Pick<ConfigTree, 'value' | 'origins'>): NamedFiles {
  const found = new Map<string, string>();
  const folder = dirname(origins.file);
  for (const { path, text } of textsIn(value, [])) {
    const origin = origins.exact(path);
    const file = resolve(folder, text);
    if (!String(path.at(-1)).endsWith('_file') || !origin || 'flag' in origin || found.has(file)) continue;
    found.set(file, `${origins.file}:${origin.line}: ${formatPath(path)}`);
  }
  return found;
}

function* textsIn(value: unknown, path: KeyPath): Generator<{ readonly path: KeyPath; readonly text: string }> {
  if (typeof value === 'string') yield { path, text: value };
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* textsIn(item, [...path, index]);
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) yield* textsIn(item, [...path, key]);
}

/** What is wrong, in one line; of a file that the configuration names with the place where it does. */
export function placedMessage(error: unknown, files: NamedFiles | undefined): string {
  const message = error instanceof Error ? error.message : String(error);
  const place = error instanceof NamedFileError ? files?.get(error.file) : undefined;
  return place === undefined ? message : `${place}: ${message}`;
}
