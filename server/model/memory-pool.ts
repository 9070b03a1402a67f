export interface MemoryPoolOptions {
  /** Pieces come in this size times powers of two. */
  readonly smallestBytes: number;
  /** What is given back beyond this is freed. */
  readonly mostKeptBytes: number;
}

/**
 * Memory that is used again and again. A piece that is never given back is only collected as garbage, which comes late:
 * V8 sees a small handle, not the memory behind it.
 */
export class MemoryPool {
  private readonly options: MemoryPoolOptions;
  private readonly free = new Map<number, Buffer[]>();
  private kept = 0;

  constructor(options: MemoryPoolOptions) {
    this.options = options;
  }

  /** At least `bytes` of memory, whatever it holds. */
  take(bytes: number): Buffer {
    const { smallestBytes } = this.options;
    const size = smallestBytes * 2 ** Math.max(0, Math.ceil(Math.log2(bytes / smallestBytes)));
    const known = this.free.get(size)?.pop();
    if (!known) return Buffer.allocUnsafeSlow(size);
    this.kept -= size;
    return known;
  }

  /** Gives a piece back: whoever took it may not read it any more. */
  release(memory: Buffer): void {
    if (this.kept + memory.length > this.options.mostKeptBytes) {
      free(memory);
      return;
    }
    this.kept += memory.length;
    const ofSize = this.free.get(memory.length);
    if (ofSize) ofSize.push(memory);
    else this.free.set(memory.length, [memory]);
  }
}

/** At once, without waiting for V8. */
function free(memory: Buffer): void {
  const { buffer } = memory;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
