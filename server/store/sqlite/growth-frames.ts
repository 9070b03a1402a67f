import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { VarintReader, VarintWriter } from '../../model/varint.ts';

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** No growth of ours gets near this; what claims to is damaged. */
const LARGEST = { maxOutputLength: 1024 * 1024 * 1024 };

/** Growth that was kept of a target, as its row holds it: one frame, more only where they could not be added up. */
export function framesOf(growth: Uint8Array | null): Uint8Array[] {
  if (!growth) return [];
  const plain = zstdDecompressSync(growth, LARGEST);
  const reader = new VarintReader(plain);
  const frames: Uint8Array[] = [];
  while (!reader.done) {
    const size = reader.read();
    frames.push(plain.subarray(reader.at, reader.at + size));
    reader.skip(size);
  }
  return frames;
}

/** Flows have the same bins as the histograms behind them: packed, they take little more than half. */
export function framed(frames: readonly Uint8Array[]): Uint8Array {
  const out = new VarintWriter(4096);
  for (const frame of frames) {
    out.write(frame.length);
    out.writeBytes(frame);
  }
  return zstdCompressSync(out.view(), LEVEL);
}
