import { VarintReader, VarintWriter } from '../../model/varint.ts';

/** Growth that was kept of a target, as its row holds it: one frame, more only where they could not be added up. */
export function framesOf(growth: Uint8Array | null): Uint8Array[] {
  if (!growth) return [];
  const reader = new VarintReader(growth);
  const frames: Uint8Array[] = [];
  while (!reader.done) {
    const size = reader.read();
    frames.push(growth.subarray(reader.at, reader.at + size));
    reader.skip(size);
  }
  return frames;
}

export function framed(frames: readonly Uint8Array[]): Uint8Array {
  const out = new VarintWriter(4096);
  for (const frame of frames) {
    out.write(frame.length);
    out.writeBytes(frame);
  }
  return out.finish();
}
