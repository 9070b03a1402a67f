const COLLATOR = new Intl.Collator('en', { numeric: true });

/** Order of names as people have it: `s9` before `s10`. */
export function compareNames(a: string, b: string): number {
  return COLLATOR.compare(a, b);
}
