/**
 * A bounded queue of records that survives a crash: numbered segments of records, each with a checksum. A record is on
 * the disk (fdatasync) when `append` returns. The first record of a segment stands by itself, so that old segments can
 * go; the oldest segment goes first when there is no room.
 */

import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cursor, CursorFile } from './cursor.ts';
import { framed, HEAD_BYTES, MAGIC, type RecordHead, readRecord, scan } from './record-frame.ts';
import { FileSegment, MemorySegment, type Segment } from './segment.ts';

export interface RecordQueueOptions {
  /** Made where it is missing; undefined: memory only. */
  readonly folder: string | undefined;
  readonly maxBytes: number;
  /** Samples that were never sent are gone. */
  readonly onLoss: (reason: LossReason, samples: number) => void;
  /** The disk does not take records, so memory does for a while; once it does again: undefined. */
  readonly onDisk: (error: unknown) => void;
  readonly now: () => number;
}

/** `full`: the oldest had to go. `damaged`: what is on the disk can't be read. */
export type LossReason = 'full' | 'damaged';

export interface QueuedRecord extends RecordHead {
  readonly segment: number;
  /** Within its segment. */
  readonly index: number;
  readonly payload: Uint8Array;
  /** Series of it that have been sent already; infinite when all of it has. */
  readonly sent: number;
}

interface Held {
  readonly segment: Segment;
  records: number;
  samples: number;
  /** Samples of its records before the cursor. */
  done: number;
}

const FILE_NAME = /^(\d{10})\.queue$/;
const SEGMENTS = 8;
const LARGEST_SEGMENT = 16 * 1024 ** 2;
/** While the disk takes nothing. */
const MOST_MEMORY = 64 * 1024 ** 2;
const TRY_DISK_MS = 60_000;

export class RecordQueue {
  private readonly options: RecordQueueOptions;
  private readonly cursor: CursorFile | undefined;
  private readonly held: Held[] = [];
  private readonly segmentBytes: number;
  private reading: { segment: number; offset: number; index: number };
  private writing: Held | undefined;
  private nextNumber = 1;
  private tryDiskAt = Number.NEGATIVE_INFINITY;
  private isDiskFailing = false;
  private readonly recovered: Cursor | undefined;

  /** @throws when the folder can't be used. */
  constructor(options: RecordQueueOptions) {
    this.options = options;
    this.segmentBytes = Math.min(LARGEST_SEGMENT, Math.floor(options.maxBytes / SEGMENTS));
    const { folder } = options;
    if (folder !== undefined) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.cursor = new CursorFile(join(folder, 'sent'));
      this.recovered = this.cursor.last;
      this.load(folder);
    }
    this.reading = { segment: this.held[0]?.segment.number ?? 0, offset: MAGIC.length, index: 0 };
  }

  /** @param encode makes the record; whether it has to stand by itself. */
  append(head: RecordHead, encode: (isFirst: boolean) => Uint8Array): void {
    if (this.wantsNew()) this.begin();
    let to = this.writing;
    try {
      to ??= this.newFile();
      this.write(to, framed(head, encode(to.records === 0)), head);
      if (this.isDiskFailing && !to.segment.isInMemory) this.tellDisk(undefined);
    } catch (error) {
      if (this.options.folder === undefined) throw error;
      this.tellDisk(error);
      const inMemory = this.hold(new MemorySegment(this.nextNumber++));
      this.write(inMemory, framed(head, encode(true)), head);
    }
  }

  /** The record after the one that was given last, which is done with; undefined while there is none. */
  next(): QueuedRecord | undefined {
    for (;;) {
      const held = this.readingFrom();
      if (!held) return undefined;
      const { offset, index } = this.reading;
      if (offset >= held.segment.size) {
        if (held === this.held.at(-1)) return undefined;
        this.forget(held);
        continue;
      }
      const record = readRecord(held.segment, offset);
      if (!record) {
        this.skipRest();
        continue;
      }
      this.reading = {
        segment: held.segment.number,
        offset: offset + HEAD_BYTES + record.payload.length,
        index: index + 1,
      };
      return { ...record, segment: held.segment.number, index, sent: this.sentOf(held.segment.number, index) };
    }
  }

  /** That many series of a record are done, from its start; infinite: all of it. */
  acknowledge({ segment, index, samples }: QueuedRecord, series: number): void {
    const held = this.held.find((one) => one.segment.number === segment);
    if (!held) return;
    const isWhole = series === Number.POSITIVE_INFINITY;
    if (isWhole) held.done += samples;
    this.cursor?.write(isWhole ? { segment, record: index + 1, series: 0 } : { segment, record: index, series });
  }

  /** What is left of the segment that is read can't be understood. */
  skipRest(): void {
    const held = this.readingFrom();
    if (!held) return;
    const lost = held.samples - held.done;
    if (lost > 0) this.options.onLoss('damaged', lost);
    held.done = held.samples;
    this.reading = { ...this.reading, offset: held.segment.size };
    if (this.writing === held) this.writing = undefined;
  }

  /** Whether a record had to make room. */
  isDropped({ segment }: QueuedRecord): boolean {
    return !this.held.some((held) => held.segment.number === segment);
  }

  /** The next record stands by itself. */
  beginAnew(): void {
    this.writing = undefined;
  }

  get bytes(): number {
    return this.held.reduce((sum, { segment }) => sum + segment.size, 0);
  }

  /** Samples that wait to be sent. */
  get pending(): number {
    return this.held.reduce((sum, { samples, done }) => sum + samples - done, 0);
  }

  /** Every record of the newest segment, for who has to know how things stood last. */
  *newestRecords(): Generator<Uint8Array> {
    const segment = this.held.at(-1)?.segment;
    for (let offset = MAGIC.length; segment && offset < segment.size; ) {
      const record = readRecord(segment, offset);
      if (!record) return;
      yield record.payload;
      offset += HEAD_BYTES + record.payload.length;
    }
  }

  close(): void {
    this.cursor?.close();
    for (const { segment } of this.held) segment.close();
  }

  private load(folder: string): void {
    const numbers = readdirSync(folder).flatMap((name) => FILE_NAME.exec(name)?.[1] ?? []);
    for (const text of numbers.sort()) {
      const path = join(folder, `${text}.queue`);
      const number = Number(text);
      const { size, heads } = scan(readFileSync(path));
      this.nextNumber = number + 1;
      const segment = new FileSegment(path, number, Math.max(size, MAGIC.length));
      if (heads.length === 0 || number < (this.recovered?.segment ?? 0)) {
        segment.remove();
        continue;
      }
      const done = number === this.recovered?.segment ? this.recovered.record : 0;
      this.held.push({ segment, records: heads.length, samples: sum(heads), done: sum(heads.slice(0, done)) });
    }
  }

  private sentOf(segment: number, index: number): number {
    const { recovered } = this;
    if (recovered?.segment !== segment || index > recovered.record) return 0;
    return index < recovered.record ? Number.POSITIVE_INFINITY : recovered.series;
  }

  private readingFrom(): Held | undefined {
    const { segment } = this.reading;
    const held = this.held.find((one) => one.segment.number >= segment);
    if (held && held.segment.number !== segment)
      this.reading = { segment: held.segment.number, offset: MAGIC.length, index: 0 };
    return held;
  }

  private wantsNew(): boolean {
    const { writing } = this;
    if (!writing || writing.segment.size >= this.segmentBytes) return true;
    return writing.segment.isInMemory && this.options.folder !== undefined && this.options.now() >= this.tryDiskAt;
  }

  private begin(): void {
    this.writing = undefined;
    const isDiskWanted = this.options.folder !== undefined && this.options.now() >= this.tryDiskAt;
    if (!isDiskWanted) this.hold(new MemorySegment(this.nextNumber++));
  }

  private newFile(): Held {
    const number = this.nextNumber++;
    const name = `${String(number).padStart(10, '0')}.queue`;
    return this.hold(new FileSegment(join(this.options.folder ?? '', name), number));
  }

  private hold(segment: Segment): Held {
    const held = { segment, records: 0, samples: 0, done: 0 };
    this.held.push(held);
    this.writing = held;
    segment.append(MAGIC);
    return held;
  }

  private write(held: Held, bytes: Uint8Array, { samples }: RecordHead): void {
    this.makeRoom(bytes.length);
    held.segment.append(bytes);
    held.records++;
    held.samples += samples;
  }

  /** The newest segment stays. */
  private makeRoom(bytes: number): void {
    while (this.held.length > 1 && this.bytes + bytes > this.options.maxBytes) this.drop(this.held[0]);
    if (this.options.folder === undefined) return;
    for (;;) {
      const inMemory = this.held.filter(({ segment }) => segment.isInMemory);
      const used = inMemory.reduce((sum, { segment }) => sum + segment.size, 0);
      if (inMemory.length < 2 || used + bytes <= MOST_MEMORY) return;
      this.drop(inMemory[0]);
    }
  }

  private drop(held: Held | undefined): void {
    if (!held) return;
    const lost = held.samples - held.done;
    this.forget(held);
    if (lost > 0) this.options.onLoss('full', lost);
  }

  private forget(held: Held): void {
    this.held.splice(this.held.indexOf(held), 1);
    held.segment.remove();
  }

  private tellDisk(error: unknown): void {
    this.isDiskFailing = error !== undefined;
    this.tryDiskAt = error === undefined ? Number.NEGATIVE_INFINITY : this.options.now() + TRY_DISK_MS;
    this.options.onDisk(error);
  }
}

function sum(heads: readonly RecordHead[]): number {
  return heads.reduce((total, { samples }) => total + samples, 0);
}
