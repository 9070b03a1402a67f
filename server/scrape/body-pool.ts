/** Pieces come in these sizes times powers of two. */
const SMALLEST_BYTES = 16 * 1024;
const MOST_KEPT_BYTES = 8 * 1024 * 1024;

/**
 * Memory for the bodies of answers, used again and again: answers of one moment share no piece, and those of the next
 * moment get the pieces of the ones before. A piece that is never given back is only collected as garbage, which comes
 * late: V8 sees a small handle, not the memory behind it.
 */
export class BodyPool {
  private readonly free = new Map<number, Buffer[]>();
  private kept = 0;

  /** At least `bytes` of memory, whatever it holds. */
  take(bytes: number): Buffer {
    const size = SMALLEST_BYTES * 2 ** Math.max(0, Math.ceil(Math.log2(bytes / SMALLEST_BYTES)));
    const known = this.free.get(size)?.pop();
    if (!known) return Buffer.allocUnsafeSlow(size);
    this.kept -= size;
    return known;
  }

  /** Gives a piece back: whoever took it may not read it any more. */
  release(memory: Buffer): void {
    if (this.kept + memory.length > MOST_KEPT_BYTES) {
      free(memory);
      return;
    }
    this.kept += memory.length;
    const ofSize = this.free.get(memory.length);
    if (ofSize) ofSize.push(memory);
    else this.free.set(memory.length, [memory]);
  }
}

/** For all targets. */
export const BODIES = new BodyPool();

/** At once, without waiting for V8. */
function free(memory: Buffer): void {
  const { buffer } = memory;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
