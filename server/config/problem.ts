/** Keys and list positions that lead to a value in the configuration. */
export type KeyPath = readonly (string | number)[];

/** Something wrong with the value (or, for `at: 'key'`, with the key itself) at `path`. */
export interface Problem {
  readonly path: KeyPath;
  readonly message: string;
  readonly at?: 'key';
  /** The line, where it is not that of `path`. */
  readonly line?: number;
  /** The message begins with the path. */
  readonly namesPath?: true;
}

/** Where a value was written: a line of the file, or a flag as the user typed it. */
export type Origin = { readonly keyLine: number; readonly line: number } | { readonly flag: string };

/** Where every value of a configuration was written. */
export class Origins {
  readonly file: string;
  private readonly byPath = new Map<string, Origin>();

  /** `file` is the name that messages give. */
  constructor(file: string) {
    this.file = file;
  }

  set(path: KeyPath, origin: Origin): void {
    this.byPath.set(JSON.stringify(path), origin);
  }

  /** The origin of the value itself, or undefined when it was written nowhere (a default, or missing). */
  exact(path: KeyPath): Origin | undefined {
    return this.byPath.get(JSON.stringify(path));
  }

  /** The origin of the value or, where it was written nowhere, of the nearest thing around it. */
  nearest(path: KeyPath): Origin {
    for (let length = path.length; length >= 0; length--) {
      const origin = this.exact(path.slice(0, length));
      if (origin !== undefined) return origin;
    }
    return { keyLine: 1, line: 1 };
  }

  /** An origin in words, for the message of a problem at `seenFrom`: `on line 4`, from a flag `in sidelight.yaml:4`. */
  place(origin: Origin, seenFrom: KeyPath): string {
    if ('flag' in origin) return `in ${origin.flag}`;
    return 'flag' in this.nearest(seenFrom) ? `in ${this.file}:${origin.line}` : `on line ${origin.line}`;
  }
}

/** What stands at `path` in a tree of maps and lists. */
export function valueAt(tree: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((value, part) => {
    return typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined;
  }, tree);
}

/** `discovery.static[0].labels.region`; keys with other characters than letters, digits, _ and - are quoted. */
export function formatPath(path: KeyPath): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      const text = /^[\w-]+$/.test(part) ? part : shown(part);
      return index === 0 ? text : `.${text}`;
    })
    .join('');
}

/** A text in quotes on one line, cut when it is very long. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

/** A value of any type in words: `the text "abc"`, `the number 5`, `a list`. */
export function described(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return `the text ${shown(value)}`;
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`;
  if (typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : 'a map';
}

/** One line per problem, in the order of the file, then of the flags. */
export function formatProblems(problems: readonly Problem[], origins: Origins): string[] {
  const lines = problems.map((problem) => {
    const origin = origins.nearest(problem.path);
    if ('flag' in origin) return { line: Number.POSITIVE_INFINITY, text: `${origin.flag}: ${problem.message}` };
    const line = problem.line ?? (problem.at === 'key' ? origin.keyLine : origin.line);
    const path = problem.namesPath || problem.path.length === 0 ? '' : `${formatPath(problem.path)}: `;
    return { line, text: `${origins.file}:${line}: ${path}${problem.message}` };
  });
  return [...new Set(lines.sort((a, b) => (a.line === b.line ? 0 : a.line - b.line)).map(({ text }) => text))];
}
