/**
 * Writes protobuf (https://protobuf.dev/programming-guides/encoding/) into one growing buffer. protobufjs keeps an object
 * for every number until the end, which for the histograms of a large mesh is more than they are themselves.
 */
export class ProtobufWriter {
  private buffer: Buffer;
  private length = 0;

  constructor(initialBytes = 4096) {
    this.buffer = Buffer.allocUnsafe(initialBytes);
  }

  get size(): number {
    return this.length;
  }

  /** A whole number that is not negative, below 2^53. */
  varint(field: number, value: number): void {
    this.rawVarint(field << 3);
    this.rawVarint(value);
  }

  /** A number of 32 bits with a sign. */
  sint(field: number, value: number): void {
    this.varint(field, ((value << 1) ^ (value >> 31)) >>> 0);
  }

  double(field: number, value: number): void {
    this.rawVarint((field << 3) | 1);
    this.rawDouble(value);
  }

  fixed64(field: number, { low, high }: Halves): void {
    this.rawVarint((field << 3) | 1);
    this.rawFixed64(low, high);
  }

  text(field: number, value: string): void {
    const at = this.open(field);
    this.reserve(value.length * 3);
    this.length += this.buffer.write(value, this.length, 'utf8');
    this.close(at);
  }

  bytes(field: number, value: Uint8Array): void {
    this.rawVarint((field << 3) | 2);
    this.rawVarint(value.length);
    this.raw(value);
  }

  /** Begins a message or a packed list: what is written until {@link close} is in it. */
  open(field: number): number {
    this.rawVarint((field << 3) | 2);
    this.reserve(1);
    return ++this.length;
  }

  /** @param at what {@link open} gave. */
  close(at: number): void {
    const size = this.length - at;
    const more = size < 0x80 ? 0 : size < 0x4000 ? 1 : size < 0x20_0000 ? 2 : size < 0x1000_0000 ? 3 : 4;
    if (more > 0) {
      this.reserve(more);
      this.buffer.copyWithin(at + more, at, this.length);
    }
    const end = this.length + more;
    this.length = at - 1;
    this.rawVarint(size);
    this.length = end;
  }

  rawVarint(value: number): void {
    this.reserve(10);
    let rest = value;
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) this.buffer[this.length++] = (rest % 128) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) this.buffer[this.length++] = (rest & 0x7f) | 0x80;
    this.buffer[this.length++] = rest;
  }

  /** A whole number between -2^52 and 2^52. */
  rawSigned(value: number): void {
    this.rawVarint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  rawDouble(value: number): void {
    this.reserve(8);
    this.length = this.buffer.writeDoubleLE(value, this.length);
  }

  /** A whole number that is not negative, below 2^53. */
  rawCount(value: number): void {
    this.rawFixed64(value >>> 0, Math.floor(value / 0x1_0000_0000));
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A copy of all, which is forgotten. */
  take(): Buffer {
    const bytes = Buffer.from(this.buffer.subarray(0, this.length));
    this.length = 0;
    return bytes;
  }

  /** All, which is forgotten, until something is written again: no copy. */
  takeView(): Buffer {
    const bytes = this.buffer.subarray(0, this.length);
    this.length = 0;
    return bytes;
  }

  private rawFixed64(low: number, high: number): void {
    this.reserve(8);
    this.length = this.buffer.writeUInt32LE(low, this.length);
    this.length = this.buffer.writeUInt32LE(high, this.length);
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
}

/** A number of 64 bits. */
export interface Halves {
  readonly low: number;
  readonly high: number;
}

/** A whole number that is not negative, below 2^53, as one of 64 bits. */
export function halvesOf(value: number): Halves {
  return { low: value >>> 0, high: Math.floor(value / 0x1_0000_0000) };
}
