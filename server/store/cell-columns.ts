const FIRST_ROWS = 4;
const NOTHING = new Float64Array();

/** Some of several columns of one number per cell: those that something was added to, one behind the other. */
export class CellColumns {
  values: Float64Array = NOTHING;
  readonly cells: number;
  /** By column: number of its row plus 1. */
  private readonly rows: Uint8Array;
  private used = 0;

  /** Of at most 255 columns. */
  constructor(columns: number, cells: number) {
    this.cells = cells;
    this.rows = new Uint8Array(columns);
  }

  /** Where the numbers of a column begin, to add to them: look into `values` only then. */
  row(column: number): number {
    const known = this.rows[column] ?? 0;
    return known > 0 ? (known - 1) * this.cells : this.begin(column);
  }

  private begin(column: number): number {
    const at = this.used++ * this.cells;
    this.rows[column] = this.used;
    if (at + this.cells > this.values.length) {
      const larger = new Float64Array(Math.max(FIRST_ROWS * this.cells, this.values.length * 2));
      larger.set(this.values);
      this.values = larger;
    }
    return at;
  }

  add(column: number, cell: number, value: number): void {
    const at = this.row(column) + cell;
    this.values[at] = (this.values[at] ?? 0) + value;
  }

  /** Where the numbers of a column begin; -1 where nothing was added to it. */
  at(column: number): number {
    return ((this.rows[column] ?? 0) - 1) * this.cells;
  }

  /** 0 where nothing was added. */
  value(column: number, cell: number): number {
    const at = this.at(column);
    return at < 0 ? 0 : (this.values[at + cell] ?? 0);
  }

  /** Adds all of others of as many cells. */
  addAll(other: CellColumns): void {
    for (let column = 0; column < other.rows.length; column++) {
      const from = other.at(column);
      if (from < 0) continue;
      const into = this.row(column);
      const { values } = this;
      for (let cell = 0; cell < this.cells; cell++)
        values[into + cell] = (values[into + cell] ?? 0) + (other.values[from + cell] ?? 0);
    }
  }

  /** Each number becomes what is missing from it to 0. */
  negate(): void {
    negate(this.values, this.used * this.cells);
  }

  get isNegative(): boolean {
    return hasNegative(this.values, this.used * this.cells);
  }

  get isZero(): boolean {
    for (let at = 0; at < this.used * this.cells; at++) if (this.values[at] !== 0) return false;
    return true;
  }

  clear(): void {
    this.values.fill(0, 0, this.used * this.cells);
    this.rows.fill(0);
    this.used = 0;
  }
}

/** The first so many; 0 stays 0, and does not become -0. */
export function negate(values: Float64Array, length: number): void {
  for (let at = 0; at < length; at++) values[at] = 0 - (values[at] ?? 0);
}

export function hasNegative(values: Float64Array, length: number): boolean {
  for (let at = 0; at < length; at++) if ((values[at] ?? 0) < 0) return true;
  return false;
}
