interface Part {
  readonly next: Map<string, Part>;
  /** Whether a name ends here. */
  ends: boolean;
}

/** Names of clusters, to be found again at the start of stat names. Both hold dots, so names are kept part by part. */
export class ClusterNames implements Iterable<string> {
  private readonly names = new Set<string>();
  private readonly first: Part = { next: new Map(), ends: false };

  add(name: string): void {
    if (this.names.has(name)) return;
    this.names.add(name);
    let part = this.first;
    for (const text of name.split('.')) {
      const known = part.next.get(text) ?? { next: new Map(), ends: false };
      part.next.set(text, known);
      part = known;
    }
    part.ends = true;
  }

  /** The longest name that stands at the start of `text` with a dot behind it. */
  atStartOf(text: string): string | undefined {
    let found: string | undefined;
    let part: Part | undefined = this.first;
    for (let start = 0; ; ) {
      const dot = text.indexOf('.', start);
      part = dot < 0 ? undefined : part.next.get(text.slice(start, dot));
      if (!part) return found;
      if (part.ends) found = text.slice(0, dot);
      start = dot + 1;
    }
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.names.values();
  }
}
