/** Of a column: how many bytes a number takes, and the least number, 32 bits. */
const HEAD_BYTES = 5;
/** Tables lie one behind the other in pieces of memory of this size: to itself, one would take more than it holds. */
const PIECE_BYTES = 32 * 1024;

let piece = new Uint8Array(0);
let used = 0;

/** A table of whole numbers of 32 bits that never changes: of each column only as many bytes as its numbers differ in. */
export class PackedTable {
  readonly rows: number;
  private readonly bytes: Uint8Array;
  private readonly start: number;

  /** Row by row. */
  constructor(numbers: Int32Array, columns: number) {
    this.rows = numbers.length / columns;
    const size = columns * (HEAD_BYTES + 4 * this.rows);
    if (used + size > piece.length) {
      piece = new Uint8Array(Math.max(PIECE_BYTES, size));
      used = 0;
    }
    this.bytes = piece;
    this.start = used;
    for (let column = 0; column < columns; column++) used = this.pack(numbers, column, columns);
  }

  /** @returns where the column ends. */
  private pack(numbers: Int32Array, column: number, columns: number): number {
    let least = numbers[column] ?? 0;
    let most = least;
    for (let i = column; i < numbers.length; i += columns) {
      least = Math.min(least, numbers[i] ?? 0);
      most = Math.max(most, numbers[i] ?? 0);
    }
    const width = widthOf(most - least);
    this.bytes[used] = width;
    this.write(used + 1, 4, least);
    let at = used + HEAD_BYTES;
    for (let i = column; i < numbers.length; i += columns, at += width)
      this.write(at, width, (numbers[i] ?? 0) - least);
    return at;
  }

  at(row: number, column: number): number {
    let at = this.start;
    for (let before = 0; before < column; before++) at += HEAD_BYTES + (this.bytes[at] ?? 0) * this.rows;
    return this.numberAt(at, row);
  }

  /** All numbers of a row. */
  read(row: number, into: Int32Array): void {
    let at = this.start;
    for (let column = 0; column < into.length; column++) {
      into[column] = this.numberAt(at, row);
      at += HEAD_BYTES + (this.bytes[at] ?? 0) * this.rows;
    }
  }

  /** Of the column that begins there. */
  private numberAt(column: number, row: number): number {
    const { bytes } = this;
    const width = bytes[column] ?? 0;
    const least =
      (bytes[column + 1] ?? 0) |
      ((bytes[column + 2] ?? 0) << 8) |
      ((bytes[column + 3] ?? 0) << 16) |
      ((bytes[column + 4] ?? 0) << 24);
    const at = column + HEAD_BYTES + row * width;
    if (width === 0) return least;
    let number = bytes[at] ?? 0;
    for (let byte = 1; byte < width; byte++) number |= (bytes[at + byte] ?? 0) << (8 * byte);
    return least + (number >>> 0);
  }

  private write(at: number, width: number, number: number): void {
    for (let byte = 0; byte < width; byte++) this.bytes[at + byte] = number >>> (8 * byte);
  }
}

function widthOf(range: number): number {
  if (range === 0) return 0;
  if (range < 1 << 8) return 1;
  return range < 1 << 16 ? 2 : 4;
}
