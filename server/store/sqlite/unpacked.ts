import { type PackedBlock, type PackedSums, sizeOf } from '../packed.ts';

/** A row as it was unpacked last: added up, and slot by slot. */
interface Entry {
  readonly totals: PackedSums | undefined;
  readonly slots: PackedBlock | undefined;
  readonly bytes: number;
}

/**
 * Rows as they were unpacked last. Rows never change and their ids are never given twice, so that nothing here is ever
 * wrong: what was deleted is not asked for again, and leaves when room is needed.
 */
export class Unpacked {
  private readonly most: number;
  private young = new Map<number, Entry>();
  private old = new Map<number, Entry>();
  private bytes = 0;
  /** Bytes that are new since {@link begin}. */
  private added = 0;

  /** `most`: bytes, about. */
  constructor(most: number) {
    this.most = most;
  }

  /** Begins a query: one that reads very much keeps only a part of it, and drives out only so much of the others'. */
  begin(): void {
    this.added = 0;
  }

  totals<Form extends PackedSums>(key: number, bins: boolean, unpack: () => Form): Form {
    const entry = this.get(key);
    const known = entry?.totals as Form | undefined;
    if (known && (known.bins || !bins)) return known;
    const totals = unpack();
    this.keep(key, { totals, slots: entry?.slots });
    return totals;
  }

  /** The same for what will not be asked for again: it is not remembered. */
  once(key: number, bins: boolean, unpack: () => PackedSums): PackedSums {
    const known = (this.young.get(key) ?? this.old.get(key))?.totals;
    return known && (known.bins || !bins) ? known : unpack();
  }

  /** With the slots that end after `from`. */
  slots(key: number, { bins, from }: { bins: boolean; from: number }, unpack: () => PackedBlock): PackedBlock {
    const entry = this.get(key);
    const known = entry?.slots;
    if (known && (known.bins || !bins) && (known.first === 0 || known.fromMs + known.first * known.stepMs <= from))
      return known;
    const slots = unpack();
    this.keep(key, { totals: entry?.totals, slots });
    return slots;
  }

  private get(key: number): Entry | undefined {
    const known = this.young.get(key);
    if (known) return known;
    const older = this.old.get(key);
    if (older) this.add(key, older);
    return older;
  }

  private keep(key: number, { totals, slots }: Pick<Entry, 'totals' | 'slots'>): void {
    const bytes = (totals ? sizeOf(totals) : 0) + (slots ? sizeOf(slots) : 0);
    this.added += bytes;
    if (this.added <= this.most / 3) this.add(key, { totals, slots, bytes });
  }

  private add(key: number, entry: Entry): void {
    this.bytes += entry.bytes - (this.young.get(key)?.bytes ?? 0);
    this.young.set(key, entry);
    if (this.bytes <= this.most / 2) return;
    this.old = this.young;
    this.young = new Map();
    this.bytes = 0;
  }
}
