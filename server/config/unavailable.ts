import type { KeyPath, Problem } from './problem.ts';
import { VERSION } from './version.ts';

/** Documented keys that this version does not act upon yet; a line goes when its feature lands. */
export const UNAVAILABLE: readonly KeyPath[] = [['remote_write']];

/** Takes those keys out of `tree`; those that ask for something are problems. */
export function takeUnavailable(tree: unknown): Problem[] {
  return UNAVAILABLE.flatMap((path) => {
    const value = take(tree, path);
    if (isEmpty(value)) return [];
    const message = `${path.join('.')} is not available in this version (${VERSION}); remove it`;
    return [{ path, at: 'key', namesPath: true, message } as const];
  });
}

function take(tree: unknown, path: KeyPath): unknown {
  const [key, ...rest] = path;
  if (key === undefined || !isMap(tree)) return undefined;
  const value = tree[key];
  if (rest.length > 0) return take(value, rest);
  delete tree[key];
  return value;
}

/** Nothing, an empty text, or a list or map that holds nothing else. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.values(value).every(isEmpty);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
