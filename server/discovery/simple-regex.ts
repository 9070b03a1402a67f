/**
 * Simple RE2 patterns as JavaScript ones, which are some ten times as fast. Only such as both read the same way, and
 * that a backtracking engine is done with quickly: groups are never repeated, and long values are left to RE2.
 */

/** A pattern, and the longest value that it may be given. */
export interface SimpleRegex {
  readonly pattern: RegExp;
  readonly longest: number;
}

/** Parts that mean the same in both; what is repeated is one character or class. */
const ATOM = String.raw`(?:\\[dDwW.\\/+*?()|{}^$]|\[\^?[A-Za-z0-9_:;,.=@]+\]|[\w\-:;,@%=/ ]|\.)`;
const PART = new RegExp(String.raw`\((?:\?:)?|\)\??|\||${ATOM}(?:[*+]\??|\?)?`, 'y');
/** Longest value by the number of unbounded repetitions: the work grows with its power. */
const LONGEST = [4096, 4096, 512, 96];

/** The whole of `pattern`, line breaks included, or undefined where it is not simple. */
export function simpleRegex(pattern: string): SimpleRegex | undefined {
  let repeated = 0;
  let at = 0;
  while (at < pattern.length) {
    PART.lastIndex = at;
    const [part] = PART.exec(pattern) ?? [];
    if (part === undefined) return undefined;
    if (/[^\\][*+]\??$/.test(part) || /^\\.[*+]\??$/.test(part)) repeated++;
    at += part.length;
  }
  const longest = LONGEST[repeated];
  return longest === undefined ? undefined : { pattern: new RegExp(`^(?:${pattern})$`, 'su'), longest };
}
