export interface MemoryPoolOptions {
  /** Pieces come in this size times powers of two. */
  readonly smallestBytes: number;
  /** What is given back beyond this is freed. */
  readonly mostKeptBytes: number;
}

/** After so many pieces were given back, those that nobody took in all that time are freed: a rush is not remembered for good. */
const TURN = 4096;

/** Pieces of one size. */
interface Free {
  readonly pieces: Buffer[];
  /** The fewest that there were in this turn. */
  fewest: number;
}

/**
 * Memory that is used again and again. A piece that is never given back is only collected as garbage, which comes late:
 * V8 sees a small handle, not the memory behind it.
 */
export class MemoryPool {
  private readonly options: MemoryPoolOptions;
  private readonly free = new Map<number, Free>();
  private kept = 0;
  private released = 0;

  constructor(options: MemoryPoolOptions) {
    this.options = options;
  }

  /** At least `bytes` of memory, whatever it holds. */
  take(bytes: number): Buffer {
    const { smallestBytes } = this.options;
    const size = smallestBytes * 2 ** Math.max(0, Math.ceil(Math.log2(bytes / smallestBytes)));
    const ofSize = this.free.get(size);
    const known = ofSize?.pieces.pop();
    if (!known) return Buffer.allocUnsafeSlow(size);
    if (ofSize && ofSize.pieces.length < ofSize.fewest) ofSize.fewest = ofSize.pieces.length;
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
    if (ofSize) ofSize.pieces.push(memory);
    else this.free.set(memory.length, { pieces: [memory], fewest: 0 });
    if (++this.released % TURN === 0) this.turn();
  }

  private turn(): void {
    for (const [size, ofSize] of this.free) {
      const { pieces, fewest } = ofSize;
      for (const piece of pieces.splice(0, fewest)) free(piece);
      this.kept -= size * fewest;
      ofSize.fewest = pieces.length;
    }
  }
}

/** At once, without waiting for V8. */
function free(memory: Buffer): void {
  const { buffer } = memory;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
