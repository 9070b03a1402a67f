import { RE2JS } from 're2js';
import { type SimpleRegex, simpleRegex } from './simple-regex.ts';

/** Groups of a match, the whole first; a group that took no part is empty. */
export type Groups = readonly string[];

/** An RE2 pattern that is matched against the whole of a value, line breaks included. */
export interface WholeRegex {
  /** Places of named groups. */
  readonly names: Readonly<Record<string, number>>;
  test(value: string): boolean;
  match(value: string): Groups | undefined;
}

/** Values whose groups are remembered per pattern: most labels have few values. */
const REMEMBERED = 2000;

/** @throws when `pattern` is not RE2. */
export function compileRegex(pattern: string): WholeRegex {
  if (pattern === '(.*)') return { names: {}, test: () => true, match: (value) => [value, value] };
  const literals = literalsOf(pattern);
  if (literals) {
    return {
      names: {},
      test: (value) => literals.has(value),
      match: (value) => (literals.has(value) ? [value] : undefined),
    };
  }
  const compiled = RE2JS.compile(`^(?s:${pattern})$`);
  const re2: WholeRegex = {
    names: compiled.namedGroups(),
    test: remembering((value) => compiled.test(value)),
    match: remembering((value: string): Groups | undefined => {
      const matcher = compiled.matcher(value);
      if (!matcher.find()) return undefined;
      return Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index) ?? '');
    }),
  };
  const simple = simpleRegex(pattern);
  return simple === undefined ? re2 : withSimple(simple, re2);
}

function withSimple({ pattern, longest }: SimpleRegex, re2: WholeRegex): WholeRegex {
  return {
    names: re2.names,
    test: (value) => (value.length > longest ? re2.test(value) : pattern.test(value)),
    match(value) {
      if (value.length > longest) return re2.match(value);
      return pattern.exec(value)?.map((group: string | undefined) => group ?? '');
    },
  };
}

/** The values that a pattern stands for, where it is a plain text or several with `|` between. */
function literalsOf(pattern: string): ReadonlySet<string> | undefined {
  return /^[\w\-/:;,@ %=|]*$/.test(pattern) ? new Set(pattern.split('|')) : undefined;
}

function remembering<Result>(compute: (value: string) => Result): (value: string) => Result {
  const known = new Map<string, Result>();
  return (value) => {
    const earlier = known.get(value);
    if (earlier !== undefined || known.has(value)) return earlier as Result;
    const result = compute(value);
    if (known.size >= REMEMBERED) known.clear();
    known.set(value, result);
    return result;
  };
}

const REFERENCE = /\$(?:\$|\{(\w+)\}|(\w+))/g;

/** A Go template: `$1`, `${1}`, `$name`, `${name}`, `$$`; the longest name counts, and an unknown group is empty. */
export function expand(template: string, groups: Groups, names: WholeRegex['names']): string {
  if (template === '$1') return groups[1] ?? '';
  if (!template.includes('$')) return template;
  return template.replaceAll(REFERENCE, (whole, braced?: string, bare?: string) => {
    if (whole === '$$') return '$';
    const name = braced ?? bare ?? '';
    const place = /^\d+$/.test(name) ? Number(name) : names[name];
    return place === undefined ? '' : (groups[place] ?? '');
  });
}
