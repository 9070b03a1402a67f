/** Search domains, as the resolver of the system uses them. */

export interface SearchList {
  readonly domains: readonly string[];
  /** A name with so many dots is tried as it is first. */
  readonly ndots: number;
}

/** `search`, `domain` and `ndots` of a resolv.conf; the last line of each counts. */
export function parseResolvConf(text: string): SearchList {
  let domains: string[] = [];
  let ndots = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'search') domains = words;
    else if (keyword === 'domain') domains = words.slice(0, 1);
    else if (keyword === 'options') {
      const option = words.find((word) => /^ndots:\d{1,2}$/.test(word));
      if (option) ndots = Math.min(15, Number(option.slice('ndots:'.length)));
    }
  }
  return { domains, ndots };
}

/** Full names to look up for a name, in order; a name with a dot at its end is full. */
export function namesToTry(name: string, { domains, ndots }: SearchList): string[] {
  if (name.endsWith('.')) return [name];
  const searched = domains
    .map((domain) => `${name}.${domain.replace(/\.$/, '')}.`)
    .filter((full) => full !== `${name}..`);
  const plain = `${name}.`;
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [plain, ...searched] : [...searched, plain];
}
