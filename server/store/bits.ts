/** Whole numbers in as few bits as they need, highest bit first. */

/** Ones that begin a number which is told by its length: shorter than as many ones as its quotient has. */
const LONGEST_QUOTIENT = 20;
/** Bits that tell a number's length. */
const LENGTH_BITS = 6;
/** Bits that are written or read at once. */
const PIECE = 24;
const PIECE_VALUES = 2 ** PIECE;

export class BitWriter {
  private bytes = new Uint8Array(4096);
  private length = 0;
  private held = 0;
  private heldBits = 0;

  clear(): void {
    this.length = 0;
    this.held = 0;
    this.heldBits = 0;
  }

  /** Whole bytes so far. */
  get size(): number {
    return this.length;
  }

  /** Fills the byte under way with zeros. */
  align(): void {
    if (this.heldBits > 0) this.write(0, 8 - this.heldBits);
  }

  /** What was written as whole bytes, until the next write: no copy. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** The lowest bits of a number that has no others; at most 24. */
  write(value: number, bits: number): void {
    if (this.length + 4 > this.bytes.length) this.grow();
    this.held = (this.held << bits) | value;
    this.heldBits += bits;
    while (this.heldBits >= 8) {
      this.heldBits -= 8;
      this.bytes[this.length++] = this.held >>> this.heldBits;
    }
    this.held &= (1 << this.heldBits) - 1;
  }

  /** As many bits as there are. */
  writeLong(value: number, bits: number): void {
    if (bits <= PIECE) {
      this.write(value, bits);
      return;
    }
    this.writeLong(Math.floor(value / PIECE_VALUES), bits - PIECE);
    this.write(value % PIECE_VALUES, PIECE);
  }

  /** A number of any size: its length, then its bits but the first. */
  writeNumber(value: number): void {
    const length = bitLength(value);
    this.write(length, LENGTH_BITS);
    if (length > 1) this.writeLong(value - 2 ** (length - 1), length - 1);
  }

  /** A number that is about 2^k: Rice's code, but for one that is far larger. */
  writeRice(value: number, k: number): void {
    const quotient = k < 31 && value <= 0x7fff_ffff ? value >> k : Math.floor(value / 2 ** k);
    if (quotient >= LONGEST_QUOTIENT) {
      this.write(2 ** LONGEST_QUOTIENT - 1, LONGEST_QUOTIENT);
      this.writeNumber(value);
      return;
    }
    this.write((1 << (quotient + 1)) - 2, quotient + 1);
    if (k > 0) this.writeLong(value - quotient * 2 ** k, k);
  }

  private grow(): void {
    const grown = new Uint8Array(this.bytes.length * 2);
    grown.set(this.bytes);
    this.bytes = grown;
  }
}

/** Bits that {@link BitWriter.writeRice} writes. */
export function riceBits(value: number, k: number): number {
  const quotient = value <= 0x7fff_ffff && k < 31 ? value >> k : Math.floor(value / 2 ** k);
  return quotient < LONGEST_QUOTIENT ? quotient + 1 + k : LONGEST_QUOTIENT + LENGTH_BITS + bitLength(value) - 1;
}

function bitLength(value: number): number {
  return value < 2 ** 32 ? 32 - Math.clz32(value) : 32 + bitLength(Math.floor(value / 2 ** 32));
}

/** Reads what {@link BitWriter} wrote; behind the end are zeros, or whatever bytes come next. */
export class BitReader {
  private readonly bytes: Uint8Array;
  private position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Goes on at a byte. */
  seek(byte: number): void {
    this.position = byte * 8;
  }

  /** The byte behind what was read, the one under way taken whole. */
  get at(): number {
    return Math.ceil(this.position / 8);
  }

  /** The next 32 bits. */
  private window(): number {
    const { bytes, position } = this;
    const at = position >>> 3;
    const within = position & 7;
    const next =
      ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    return within === 0 ? next : (next << within) | ((bytes[at + 4] ?? 0) >> (8 - within));
  }

  /** At most 24 bits. */
  read(bits: number): number {
    if (bits === 0) return 0;
    const value = this.window() >>> (32 - bits);
    this.position += bits;
    return value;
  }

  readLong(bits: number): number {
    if (bits <= PIECE) return this.read(bits);
    const high = this.readLong(bits - PIECE);
    return high * PIECE_VALUES + this.read(PIECE);
  }

  readNumber(): number {
    const length = this.read(LENGTH_BITS);
    return length < 2 ? length : 2 ** (length - 1) + this.readLong(length - 1);
  }

  readRice(k: number): number {
    const window = this.window();
    const ones = Math.clz32(~window);
    if (ones >= LONGEST_QUOTIENT) {
      this.position += LONGEST_QUOTIENT;
      return this.readNumber();
    }
    if (k + ones < 12) {
      this.position += ones + 1 + k;
      return k === 0 ? ones : (ones << k) | ((window << (ones + 1)) >>> (32 - k));
    }
    this.position += ones + 1;
    return ones * 2 ** k + this.readLong(k);
  }
}
