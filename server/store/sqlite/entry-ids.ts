/** So many that are gone are taken out of a list together. */
const GONE_AT_ONCE = 32;

/** Ascending ids, which come at the end and go at the beginning. */
export class EntryIds {
  private readonly ids: number[] = [];
  private gone = 0;
  bytes = 0;
  /** Whether each began and ended no earlier than the one before it: none came late. */
  isOrdered = true;
  private lastT0 = 0;
  private lastT1 = 0;

  add({ id, t0, t1 }: { id: number; t0: number; t1: number }, bytes: number): void {
    if (this.length === 0) this.isOrdered = true;
    else if (t0 < this.lastT0 || t1 < this.lastT1) this.isOrdered = false;
    this.lastT0 = t0;
    this.lastT1 = t1;
    this.ids.push(id);
    this.bytes += bytes;
  }

  get length(): number {
    return this.ids.length - this.gone;
  }

  get first(): number | undefined {
    return this.ids[this.gone];
  }

  at(index: number): number {
    return this.ids[this.gone + index] ?? 0;
  }

  dropUpTo(last: number, bytesOf: (id: number) => number): void {
    for (let first = this.first; first !== undefined && first <= last; first = this.first) {
      this.bytes -= bytesOf(first);
      this.gone++;
    }
    if (this.gone < GONE_AT_ONCE && this.gone < this.ids.length) return;
    this.ids.splice(0, this.gone);
    this.gone = 0;
  }
}
