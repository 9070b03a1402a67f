/** How records stand in a segment: after a mark, each with its length, a checksum, its time and its samples. */

import { crc32 } from 'node:zlib';
import type { Segment } from './segment.ts';

export interface RecordHead {
  /** Unix milliseconds. */
  readonly at: number;
  readonly samples: number;
}

/** What every segment begins with. */
export const MAGIC = Buffer.from('SLRWQ001');
/** Bytes before a record's payload. */
export const HEAD_BYTES = 20;

export function framed({ at, samples }: RecordHead, payload: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  bytes.writeUInt32LE(payload.length, 0);
  bytes.writeDoubleLE(at, 8);
  bytes.writeUInt32LE(samples, 16);
  bytes.set(payload, HEAD_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** Undefined where there is no whole record. */
export function readRecord(segment: Segment, offset: number): (RecordHead & { payload: Uint8Array }) | undefined {
  const start = Buffer.from(segment.read(offset, HEAD_BYTES));
  if (start.length < HEAD_BYTES) return undefined;
  const length = HEAD_BYTES + start.readUInt32LE(0);
  if (offset + length > segment.size) return undefined;
  const whole = segment.read(offset, length);
  if (whole.length < length || crc32(whole.subarray(8)) !== start.readUInt32LE(4)) return undefined;
  return { at: start.readDoubleLE(8), samples: start.readUInt32LE(16), payload: whole.subarray(HEAD_BYTES) };
}

/** The records of a file by their lengths alone; a crash may have cut the last one off. */
export function scan(bytes: Buffer): { size: number; heads: RecordHead[] } {
  const heads: RecordHead[] = [];
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return { size: 0, heads };
  let offset = MAGIC.length;
  while (offset + HEAD_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(offset);
    const end = offset + HEAD_BYTES + length;
    if (length === 0 || end > bytes.length) break;
    heads.push({ at: bytes.readDoubleLE(offset + 8), samples: bytes.readUInt32LE(offset + 16) });
    offset = end;
  }
  return { size: offset, heads };
}
