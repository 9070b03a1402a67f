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

  /** Appends pairs of a distance, from one of the ascending keys to the next, and a count. */
  writePairs(keys: ArrayLike<number>, counts: ArrayLike<number>): void {
    while (this.length + 20 * keys.length > this.bytes.length) this.grow();
    const { bytes } = this;
    let { length } = this;
    let previous = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? 0;
      const count = counts[i] ?? 0;
      const distance = key - previous;
      previous = key;
      if (distance <= 0x7f && count <= 0x7f) {
        bytes[length++] = distance;
        bytes[length++] = count;
        continue;
      }
      this.length = length;
      this.write(distance);
      this.write(count);
      length = this.length;
    }
    this.length = length;
  }

  /** Appends one byte as it is. */
  writeByte(byte: number): void {
    if (this.length === this.bytes.length) this.grow();
    this.bytes[this.length++] = byte;
  }

  /** Appends bytes as they are. */
  writeBytes(bytes: Uint8Array): void {
    while (this.length + bytes.length > this.bytes.length) this.grow();
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Bytes written so far. */
  get size(): number {
    return this.length;
  }

  /** Begins anew in the same memory. */
  clear(): void {
    this.length = 0;
  }

  /** What was written, until the next write: no copy. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
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
  private position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = bytes;
    this.position = position;
  }

  /** Where the next number begins. */
  get at(): number {
    return this.position;
  }

  get done(): boolean {
    return this.position >= this.bytes.length;
  }

  readByte(): number {
    const byte = this.bytes[this.position++];
    if (byte === undefined) throw new RangeError('number cut off');
    return byte;
  }

  skip(bytes: number): void {
    this.position += bytes;
  }

  read(): number {
    const first = this.bytes[this.position];
    if (first !== undefined && first < 0x80) {
      this.position++;
      return first;
    }
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
