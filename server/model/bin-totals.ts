import { NO_BINS, type SparseBins } from './histogram.ts';

const LARGEST_16_BIT = 0xff_ff;
const LARGEST_32_BIT = 0xff_ff_ff_ff;
/** Room for as many more bins as a histogram usually grows by before there is none left. */
const SLACK = 1.125;
const FEWEST_SPARE = 2;

/** What there are bins of. */
interface Binned {
  readonly bins: SparseBins;
}

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

  /** Adds the bins of each increment, whose keys ascend, to the histogram at the place of the same index. */
  addAll(places: readonly number[], increments: readonly Binned[]): void {
    for (let index = 0; index < increments.length; index++) {
      const place = places[index] ?? 0;
      const bins = increments[index]?.bins ?? NO_BINS;
      const added = this.addWhatFits(place, bins, 0);
      if (added === bins.keys.length) continue;
      this.makeRoom(places, increments, index);
      this.addWhatFits(place, bins, added);
    }
  }

  /** The index of the first bin that there is no room for, or the number of bins. */
  private addWhatFits(place: number, { keys, counts }: SparseBins, first: number): number {
    let at = this.starts[place] ?? 0;
    let end = at + (this.used[place] ?? 0);
    for (let i = first; i < keys.length; i++) {
      const key = keys[i] ?? 0;
      while (at < end && (this.keys[at] ?? 0) < key) at++;
      if (at < end && this.keys[at] === key) {
        this.set(at, key, (this.counts[at] ?? 0) + (counts[i] ?? 0));
        continue;
      }
      if (end === this.starts[place + 1]) return i;
      this.keys.copyWithin(at + 1, at, end);
      this.counts.copyWithin(at + 1, at, end);
      this.set(at, key, counts[i] ?? 0);
      this.used[place] = (this.used[place] ?? 0) + 1;
      end++;
    }
    return keys.length;
  }

  private set(at: number, key: number, count: number): void {
    if (key > LARGEST_16_BIT && this.keys instanceof Uint16Array) this.keys = Uint32Array.from(this.keys);
    if (count > LARGEST_32_BIT && this.counts instanceof Uint32Array) this.counts = Float64Array.from(this.counts);
    this.keys[at] = key;
    this.counts[at] = count;
  }

  /** Makes room for all increments from the first on, as all bins have to move for it. */
  private makeRoom(places: readonly number[], increments: readonly Binned[], first: number): void {
    const { starts, used, keys, counts } = this;
    const rooms = this.roomsFor(places, increments, first);
    const ends = new Uint32Array(rooms.length + 1);
    for (let place = 0; place < rooms.length; place++) ends[place + 1] = (ends[place] ?? 0) + (rooms[place] ?? 0);
    const room = ends[rooms.length] ?? 0;
    this.keys = keys instanceof Uint16Array ? new Uint16Array(room) : new Uint32Array(room);
    this.counts = counts instanceof Uint32Array ? new Uint32Array(room) : new Float64Array(room);
    this.starts = ends;
    for (let place = 0; place < rooms.length; place++) {
      const from = starts[place] ?? 0;
      const to = ends[place] ?? 0;
      for (let bin = 0; bin < (used[place] ?? 0); bin++) {
        this.keys[to + bin] = keys[from + bin] ?? 0;
        this.counts[to + bin] = counts[from + bin] ?? 0;
      }
    }
  }

  /** How many bins each is to have room for. */
  private roomsFor(places: readonly number[], increments: readonly Binned[], first: number): Uint32Array {
    const { starts, used } = this;
    const wanted = used.slice();
    for (let index = first; index < increments.length; index++) {
      const place = places[index] ?? 0;
      wanted[place] = (wanted[place] ?? 0) + this.missing(place, increments[index]?.bins ?? NO_BINS);
    }
    return wanted.map((bins, place) => {
      const room = (starts[place + 1] ?? 0) - (starts[place] ?? 0);
      return bins <= room ? room : Math.ceil((bins + FEWEST_SPARE) * SLACK);
    });
  }

  /** How many of the bins the histogram at a place does not have. */
  private missing(place: number, { keys }: SparseBins): number {
    let at = this.starts[place] ?? 0;
    const end = at + (this.used[place] ?? 0);
    let missing = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? 0;
      while (at < end && (this.keys[at] ?? 0) < key) at++;
      if (at === end || this.keys[at] !== key) missing++;
    }
    return missing;
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
