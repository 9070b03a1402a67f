import type { SparseBins } from './histogram.ts';

/** A histogram that grows in place, for one that is added to over and over: what it holds changes with each `add`. */
export class BinTotal implements SparseBins {
  readonly keys: number[] = [];
  readonly counts: number[] = [];

  /** Adds bins, whose keys ascend. */
  add({ keys, counts }: SparseBins): void {
    let at = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? 0;
      while (at < this.keys.length && (this.keys[at] ?? 0) < key) at++;
      if (this.keys[at] === key) this.counts[at] = (this.counts[at] ?? 0) + (counts[i] ?? 0);
      else this.insert(at, key, counts[i] ?? 0);
    }
  }

  private insert(at: number, key: number, count: number): void {
    if (at === this.keys.length) {
      this.keys.push(key);
      this.counts.push(count);
    } else {
      this.keys.splice(at, 0, key);
      this.counts.splice(at, 0, count);
    }
  }
}
