import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

export interface PackedBytes {
  readonly bytes: Uint8Array;
  /** Bytes that were packed; 0 where packing would not have made them fewer, and they are as they were. */
  readonly plainSize: number;
}

const PARAMS = { [constants.ZSTD_c_compressionLevel]: 1 };
/** Nothing of ours gets near this; what claims to is damaged. */
const LARGEST = 1024 * 1024 * 1024;
/** What comes out is gathered in pieces of at most this size. */
const PIECE = 256 * 1024;
const LEAST_PIECE = 64;

/** `bytes` may be the same memory as `plain`. */
export function packBytes(plain: Uint8Array): PackedBytes {
  // Told how much comes, it takes less memory, for packing and for unpacking.
  const packed = zstdCompressSync(plain, { params: PARAMS, pledgedSrcSize: plain.length });
  return packed.length < plain.length ? { bytes: packed, plainSize: plain.length } : { bytes: plain, plainSize: 0 };
}

/** @throws Error where the bytes are damaged. */
export function unpackBytes({ bytes, plainSize }: PackedBytes): Uint8Array {
  if (plainSize === 0) return bytes;
  return zstdDecompressSync(bytes, {
    maxOutputLength: Math.min(plainSize, LARGEST),
    chunkSize: Math.max(LEAST_PIECE, Math.min(plainSize, PIECE)),
  });
}
