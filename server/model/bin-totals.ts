import type { SparseBins } from './histogram.ts';

const LARGEST_16_BIT = 0xff_ff;
const LARGEST_32_BIT = 0xff_ff_ff_ff;
/** Room for as many more bins as a histogram usually grows by before there is none left. */
const SLACK = 1.125;
const FEWEST_SPARE = 2;

/** Many histograms that grow in place, in few arrays: numbered from 0 on. Numbers are as narrow as they can be. */
export class BinTotals {
  /** Where the room of each begins, and where that of the last one ends. */
  private starts = new Uint32Array(1);
  private used = new Uint32Array(0);
  private keys: Uint16Array | Uint32Array = new Uint16Array(0);
  private counts: Uint32Array | Float64Array = new Uint32Array(0);

  get size(): number {
    return this.used.length;
  }

  /** Makes it so many histograms; those that are new are empty. */
  grow(size: number): void {
    const { starts, used } = this;
    this.starts = new Uint32Array(size + 1).fill(starts[used.length] ?? 0);
    this.starts.set(starts);
    this.used = new Uint32Array(size);
    this.used.set(used);
  }

  /** Adds bins, whose keys ascend. */
  add(place: number, { keys, counts }: SparseBins): void {
    let at = this.starts[place] ?? 0;
    let end = at + (this.used[place] ?? 0);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? 0;
      while (at < end && (this.keys[at] ?? 0) < key) at++;
      if (at < end && this.keys[at] === key) {
        this.set(at, key, (this.counts[at] ?? 0) + (counts[i] ?? 0));
        continue;
      }
      if (end === this.starts[place + 1]) {
        const offset = at - (this.starts[place] ?? 0);
        this.makeRoom(place);
        at = (this.starts[place] ?? 0) + offset;
        end = (this.starts[place] ?? 0) + (this.used[place] ?? 0);
      }
      this.keys.copyWithin(at + 1, at, end);
      this.counts.copyWithin(at + 1, at, end);
      this.set(at, key, counts[i] ?? 0);
      this.used[place] = (this.used[place] ?? 0) + 1;
      end++;
    }
  }

  private set(at: number, key: number, count: number): void {
    if (key > LARGEST_16_BIT && this.keys instanceof Uint16Array) this.keys = Uint32Array.from(this.keys);
    if (count > LARGEST_32_BIT && this.counts instanceof Uint32Array) this.counts = Float64Array.from(this.counts);
    this.keys[at] = key;
    this.counts[at] = count;
  }

  private makeRoom(place: number): void {
    const { starts, used, keys, counts } = this;
    const needed = Math.ceil(((used[place] ?? 0) + FEWEST_SPARE) * SLACK);
    const more = needed - ((starts[place + 1] ?? 0) - (starts[place] ?? 0));
    const split = starts[place + 1] ?? 0;
    const room = keys.length + more;
    this.keys = keys instanceof Uint16Array ? new Uint16Array(room) : new Uint32Array(room);
    this.counts = counts instanceof Uint32Array ? new Uint32Array(room) : new Float64Array(room);
    this.keys.set(keys.subarray(0, split));
    this.counts.set(counts.subarray(0, split));
    this.keys.set(keys.subarray(split), split + more);
    this.counts.set(counts.subarray(split), split + more);
    for (let next = place + 1; next < starts.length; next++) starts[next] = (starts[next] ?? 0) + more;
  }

  /** A copy of one of them. */
  at(place: number): SparseBins {
    const start = this.starts[place] ?? 0;
    const end = start + (this.used[place] ?? 0);
    return { keys: listOf(this.keys, start, end), counts: listOf(this.counts, start, end) };
  }

  /** Becomes a copy of others, in the memory that it has where that fits. */
  take({ starts, used, keys, counts }: BinTotals): void {
    this.starts = taken(this.starts, starts);
    this.used = taken(this.used, used);
    this.keys = taken(this.keys, keys);
    this.counts = taken(this.counts, counts);
  }
}

type Numbers = Uint16Array | Uint32Array | Float64Array;

/** Twice as quick as Array.from of a part. */
function listOf(numbers: Numbers, start: number, end: number): number[] {
  const list: number[] = [];
  for (let i = start; i < end; i++) list.push(numbers[i] ?? 0);
  return list;
}

function taken<Kind extends Numbers>(into: Kind, from: Kind): Kind {
  if (into.length !== from.length || into.constructor !== from.constructor) return from.slice() as Kind;
  into.set(from);
  return into;
}
