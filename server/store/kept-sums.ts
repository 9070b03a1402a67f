import { VarintReader, VarintWriter } from '../model/varint.ts';
import type { GroupSum } from './group-sum.ts';
import { writeKept } from './kept-group.ts';
import type { SeriesLabels } from './store.ts';

export interface KeptName {
  readonly key: string;
  readonly labels: SeriesLabels;
}

/** Sums of groups over one time, kept in little memory: all of them in one piece. */
export class KeptSums {
  /** In the order in which they were kept. */
  readonly names: readonly KeptName[];
  private readonly bytes: Uint8Array;
  private readonly starts: Float64Array;
  private readonly places: ReadonlyMap<string, number>;

  constructor(bytes: Uint8Array, names: readonly KeptName[], starts: readonly number[]) {
    this.bytes = bytes;
    this.names = names;
    this.starts = Float64Array.from(starts);
    this.places = new Map(names.map(({ key }, place) => [key, place]));
  }

  /** The place of a group; -1 where it is not among them. */
  find(key: string): number {
    return this.places.get(key) ?? -1;
  }

  /** What was kept of the group at a place. */
  at(place: number): VarintReader {
    return new VarintReader(this.bytes, this.starts[place]);
  }

  /** Bytes that they take, about. */
  get size(): number {
    return this.bytes.byteLength + 60 * this.names.length;
  }

  /** Bytes that about as many groups will take. */
  get room(): number {
    return Math.ceil(this.bytes.length * 1.1);
  }
}

/** Makes {@link KeptSums}, group by group. */
export class SumsKeeper {
  private readonly out: VarintWriter;
  private readonly names: KeptName[] = [];
  private readonly starts: number[] = [];

  /** `room`: bytes that are expected. */
  constructor(room: number) {
    this.out = new VarintWriter(room);
  }

  add(name: KeptName, sum: GroupSum): void {
    this.names.push(name);
    this.starts.push(this.out.size);
    writeKept(this.out, sum);
  }

  finish(): KeptSums {
    return new KeptSums(this.out.finish(), this.names, this.starts);
  }
}
