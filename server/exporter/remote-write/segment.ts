/** Where the records of a queue are kept: one file after the other, or memory. */

import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Bytes that only grow, until all of them go. */
export interface Segment {
  readonly number: number;
  /** Bytes that count; what a crash left behind them does not. */
  readonly size: number;
  readonly isInMemory: boolean;
  /** They are on the disk when this returns; when it throws, none of them count. */
  append(bytes: Uint8Array): void;
  read(offset: number, length: number): Uint8Array;
  close(): void;
  remove(): void;
}

export class MemorySegment implements Segment {
  readonly number: number;
  readonly isInMemory = true;
  private readonly pieces: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  size = 0;

  constructor(number: number) {
    this.number = number;
  }

  append(bytes: Uint8Array): void {
    this.pieces.push({ offset: this.size, bytes });
    this.size += bytes.length;
  }

  /** What was appended at once is read piece by piece, in any number of them. */
  read(offset: number, length: number): Uint8Array {
    let [low, high] = [0, this.pieces.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.pieces[middle]?.offset ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const piece = this.pieces[low];
    if (!piece) return new Uint8Array();
    return piece.bytes.subarray(offset - piece.offset, offset - piece.offset + length);
  }

  close(): void {}

  remove(): void {
    this.pieces.length = 0;
  }
}

export class FileSegment implements Segment {
  readonly number: number;
  readonly isInMemory = false;
  private readonly path: string;
  private file: number | undefined;
  size: number;

  /** @param size bytes of it that count; 0 begins a new file. */
  constructor(path: string, number: number, size = 0) {
    this.path = path;
    this.number = number;
    this.size = size;
    if (size > 0) return;
    this.file = openSync(path, 'w+', 0o600);
    syncFolder(dirname(path));
  }

  append(bytes: Uint8Array): void {
    const file = this.opened();
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(file, bytes, done, bytes.length - done, this.size + done);
      fdatasyncSync(file);
    } catch (error) {
      this.takeBack(file);
      throw error;
    }
    this.size += bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const file = this.opened();
    let done = 0;
    while (done < length) {
      const read = readSync(file, bytes, done, length - done, offset + done);
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }

  remove(): void {
    this.close();
    rmSync(this.path, { force: true });
  }

  private opened(): number {
    this.file ??= openSync(this.path, 'r+');
    return this.file;
  }

  private takeBack(file: number): void {
    try {
      ftruncateSync(file, this.size);
    } catch {
      // Nothing more is written there: what is half written is no record.
    }
  }
}

/** So that a new file is still there after a power cut. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
