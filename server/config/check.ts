import { z } from 'zod';
import { described, formatPath, type KeyPath, type Origins, type Problem, valueAt } from './problem.ts';
import { brokenRules } from './rules.ts';
import { configSchema, type WrittenConfig } from './schema.ts';
import { closest } from './suggest.ts';

export type Checked = { readonly written: WrittenConfig } | { readonly problems: Problem[] };

/** Checks a tree of values against the schema and the rules that concern several keys; reports all problems at once. */
export function checkTree(tree: unknown, origins: Origins): Checked {
  const result = configSchema.safeParse(tree);
  const problems = [
    ...(result.success ? [] : result.error.issues.flatMap((issue) => problemsOf(issue, tree, configSchema))),
    ...brokenRules(tree, origins),
  ];
  return result.success && problems.length === 0 ? { written: result.data } : { problems };
}

/** An issue that `schema` finds in `tree`, in plain words. */
export function problemsOf(issue: z.core.$ZodIssue, tree: unknown, schema: z.core.$ZodType): Problem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, schema));
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path, at: 'key', message }));
  if (issue.code !== 'invalid_type') return [{ path, message: issue.message }];
  const found = valueAt(tree, path);
  const keys = keysAt(path, schema);
  const map = keys.length === 0 ? 'a map of keys' : `a map of keys (${keys.join(', ')})`;
  const expected = issue.expected === 'array' ? 'a list' : map;
  return [
    {
      path,
      message: found === undefined ? `missing; write ${expected}` : `expected ${expected}, found ${described(found)}`,
    },
  ];
}

function unknownKey(path: KeyPath, key: string, schema: z.core.$ZodType): Problem {
  const known = keysAt(path, schema);
  const meant = closest(key, known) ?? meantElsewhere(path, key, schema);
  const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean \`${meant}\`?`;
  return { path: [...path, key], at: 'key', message: `unknown key; ${hint}` };
}

/** For keys that were put on the wrong level; what entries of another section's lists are called is hardly meant. */
function meantElsewhere([section]: KeyPath, key: string, schema: z.core.$ZodType): string | undefined {
  const found = elsewhere(key, schema);
  return section === undefined || found?.startsWith(`${section}.`) || !found?.includes('[]') ? found : undefined;
}

/** The path of a key of exactly this name in another place. */
function elsewhere(key: string, schema: z.core.$ZodType, path: KeyPath = []): string | undefined {
  for (const name of keysAt(path, schema)) {
    const here = [...path, name];
    if (name === key) return formatPath(here).replaceAll('[0]', '[]');
    const below = elsewhere(key, schema, here) ?? elsewhere(key, schema, [...here, 0]);
    if (below !== undefined) return below;
  }
  return undefined;
}

/** The keys that the schema knows in the map at `path`; list positions count for any item. */
function keysAt(path: KeyPath, schema: z.core.$ZodType): string[] {
  let found: z.core.$ZodType | undefined = schema;
  for (const part of path) {
    const inner: z.core.$ZodType | undefined = unwrapped(found);
    if (typeof part === 'number') found = inner instanceof z.ZodArray ? inner.element : undefined;
    else found = inner instanceof z.ZodObject ? inner.shape[part] : undefined;
  }
  const last = unwrapped(found);
  return last instanceof z.ZodObject ? Object.keys(last.shape) : [];
}

function unwrapped(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodPipe) return unwrapped(schema.in);
  return schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional ? unwrapped(schema.unwrap()) : schema;
}
