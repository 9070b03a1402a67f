/** A column is kept dense from this share of its slots on. */
const DENSE = 1 / 4;

/** One number per slot; little memory where most of them are 0, as with names that hardly anybody calls. */
export class SlotColumn {
  private readonly capacity: number;
  /** Ascending, each with a count beside it; empty once `dense` is there. */
  private slots: number[] = [];
  private counts: number[] = [];
  private dense: Float64Array | undefined;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  add(slot: number, count: number): void {
    if (this.dense) {
      this.dense[slot] = (this.dense[slot] ?? 0) + count;
      return;
    }
    let at = this.slots.length - 1;
    while (at >= 0 && (this.slots[at] ?? 0) > slot) at--;
    if (this.slots[at] === slot) {
      this.counts[at] = (this.counts[at] ?? 0) + count;
      return;
    }
    if (at === this.slots.length - 1) {
      this.slots.push(slot);
      this.counts.push(count);
    } else {
      this.slots.splice(at + 1, 0, slot);
      this.counts.splice(at + 1, 0, count);
    }
    if (this.slots.length > this.capacity * DENSE) this.makeDense();
  }

  private makeDense(): void {
    const dense = new Float64Array(this.capacity);
    this.slots.forEach((slot, index) => {
      dense[slot] = this.counts[index] ?? 0;
    });
    this.dense = dense;
    this.slots = [];
    this.counts = [];
  }

  /** Of the slots `[first, end)`. */
  sum(first: number, end: number): number {
    let sum = 0;
    if (this.dense) for (let slot = first; slot < end; slot++) sum += this.dense[slot] ?? 0;
    for (let i = 0; i < this.slots.length; i++) {
      const slot = this.slots[i] ?? 0;
      if (slot >= first && slot < end) sum += this.counts[i] ?? 0;
    }
    return sum;
  }

  /** Forgets the first slots, and makes room for as many at the end; false when nothing is left. */
  move(by: number): boolean {
    if (this.dense) {
      this.dense.copyWithin(0, by);
      this.dense.fill(0, Math.max(0, this.capacity - by));
      return this.dense.some((count) => count !== 0);
    }
    const kept = this.slots.findIndex((slot) => slot >= by);
    if (kept < 0) return false;
    this.slots = this.slots.slice(kept).map((slot) => slot - by);
    this.counts = this.counts.slice(kept);
    return true;
  }
}
