/** Appends non-negative integers below 2^53 as little-endian base-128 numbers. Grows as needed. */
export class VarintWriter {
  private bytes: Uint8Array;
  private length = 0;

  constructor(initialBytes = 256) {
    this.bytes = new Uint8Array(initialBytes);
  }

  write(value: number): void {
    if (this.length + 10 > this.bytes.length) this.grow();
    const bytes = this.bytes;
    if (value <= 0x7f) {
      bytes[this.length++] = value;
      return;
    }
    let length = this.length;
    let rest = value;
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) bytes[length++] = (rest % 128) | 0x80;
    let small = rest | 0;
    for (; small > 0x7f; small >>>= 7) bytes[length++] = (small & 0x7f) | 0x80;
    bytes[length++] = small;
    this.length = length;
  }

  /** Forgets what was written; the memory is used again. */
  clear(): void {
    this.length = 0;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private grow(): void {
    const grown = new Uint8Array(this.bytes.length * 2 + 8);
    grown.set(this.bytes);
    this.bytes = grown;
  }
}

/** Reads what {@link VarintWriter} wrote. Throws a RangeError where the bytes end too early. */
export class VarintReader {
  private readonly bytes: Uint8Array;
  private position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.position >= this.bytes.length;
  }

  read(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.bytes[this.position++];
      if (byte === undefined) throw new RangeError('number cut off');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }
}
