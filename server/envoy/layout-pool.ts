interface Entry<Layout extends object> {
  readonly layout: WeakRef<Layout>;
  /** What the layout was made from; equal bytes make equal layouts. */
  readonly bytes: readonly WeakRef<Uint8Array>[];
}

const FEWEST_SWEPT = 64;

/**
 * Lets targets that list the same names share one layout, and with it whatever is worked out from the names: the
 * sidecars of a service mostly do. A layout that no target uses any more is given up.
 */
export class LayoutPool<Layout extends object> {
  private readonly entries = new Map<number, Entry<Layout>>();
  private sweepAt = FEWEST_SWEPT;

  /** The layout to use in place of `layout`, told apart by the `bytes` that it holds. */
  share(layout: Layout, bytes: readonly Uint8Array[]): Layout {
    const hash = hashOf(bytes);
    const entry = this.entries.get(hash);
    const known = entry?.layout.deref();
    if (known && entry && sameBytes(entry.bytes, bytes)) return known;
    if (!known) {
      this.entries.set(hash, { layout: new WeakRef(layout), bytes: bytes.map((part) => new WeakRef(part)) });
      if (this.entries.size >= this.sweepAt) this.sweep();
    }
    return layout;
  }

  private sweep(): void {
    for (const [hash, { layout }] of this.entries) if (!layout.deref()) this.entries.delete(hash);
    this.sweepAt = Math.max(FEWEST_SWEPT, this.entries.size * 2);
  }
}

function sameBytes(known: readonly WeakRef<Uint8Array>[], bytes: readonly Uint8Array[]): boolean {
  return bytes.every((part, index) => {
    const other = known[index]?.deref();
    return other !== undefined && Buffer.compare(other, part) === 0;
  });
}

/** FNV-1a. */
function hashOf(bytes: readonly Uint8Array[]): number {
  let hash = 0x811c9dc5;
  for (const part of bytes) for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ (part[i] ?? 0), 0x01000193);
  return hash;
}
