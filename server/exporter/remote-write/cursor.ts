/** How far a queue has been sent, in a small file of two slots that are written in turn. */

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

export interface Cursor {
  readonly segment: number;
  /** Records of the segment before this one are done. */
  readonly record: number;
  /** Series of this one that are done. */
  readonly series: number;
}

const SLOT_BYTES = 20;
const SLOTS = 2;

/**
 * A slot that a crash left half written is told by its checksum, and the other one counts. It is not synced: after a
 * power cut a little more is sent once more, which receivers take for what it is.
 */
export class CursorFile {
  private readonly file: number;
  private turn = 0;
  /** What was written last; undefined where nothing was. */
  last: Cursor | undefined;

  /** @throws when the file can't be opened. */
  constructor(path: string) {
    closeSync(openSync(path, 'a', 0o600));
    const bytes = readFileSync(path);
    this.file = openSync(path, 'r+');
    for (let slot = 0; slot < SLOTS; slot++) this.take(bytes.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES));
  }

  /** Does not throw: what can't be written is only sent once more after a restart. */
  write(cursor: Cursor): void {
    this.last = cursor;
    this.turn++;
    const bytes = Buffer.alloc(SLOT_BYTES);
    bytes.writeUInt32LE(this.turn >>> 0, 4);
    bytes.writeUInt32LE(cursor.segment, 8);
    bytes.writeUInt32LE(cursor.record, 12);
    bytes.writeUInt32LE(cursor.series, 16);
    bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
    try {
      writeSync(this.file, bytes, 0, SLOT_BYTES, (this.turn % SLOTS) * SLOT_BYTES);
    } catch {
      // A full disk: the next one may succeed.
    }
  }

  close(): void {
    closeSync(this.file);
  }

  private take(bytes: Buffer): void {
    if (bytes.length < SLOT_BYTES || crc32(bytes.subarray(4)) !== bytes.readUInt32LE(0)) return;
    const turn = bytes.readUInt32LE(4);
    if (turn <= this.turn) return;
    this.turn = turn;
    this.last = {
      segment: bytes.readUInt32LE(8),
      record: bytes.readUInt32LE(12),
      series: bytes.readUInt32LE(16),
    };
  }
}
