/** Puts answers about times that follow one another together into one. */

import { COUNTERS, STORED_GAUGES } from '../model/flow.ts';
import { keyOf } from '../model/labels.ts';
import { type EncodedAnswer, type EncodedGroups, GROUP_FIELDS, NumberWriter, QUANTILE_FIELDS } from './answer.ts';
import type { TierName } from './store.ts';

/** Some of an answer's cells. */
export interface AnswerPart {
  readonly answer: EncodedAnswer;
  readonly first: number;
  readonly count: number;
}

/** A part, and where the group in question begins in it; undefined where the part knows nothing of the group. */
interface GroupPart extends AnswerPart {
  readonly at: number | undefined;
}

/** One number per cell. */
const COLUMN_FIELDS = [...Array.from({ length: 2 * COUNTERS.length }, (_, field) => field), GROUP_FIELDS.timeouts];
const LATENCY_COLUMNS = 3;

/**
 * The answer over the cells of all parts, in this order; there is at least one part, and all answer the same question,
 * without `top` and subtotals. Groups that were measured in none of the cells are left out.
 */
export function joinParts(parts: readonly AnswerPart[], tiers: readonly TierName[]): EncodedAnswer {
  const out = new NumberWriter();
  const { by } = parts[0]?.answer.groups ?? { by: [] };
  const quantiles = parts[0]?.answer.quantiles ?? 0;
  const values: string[] = [];
  const places: number[] = [];
  for (const group of groupsOf(parts)) {
    if (!group.parts.some(isMeasured)) continue;
    values.push(...group.values);
    places.push(new GroupJoiner(out, group.parts, quantiles).write());
  }
  return {
    groups: { by, values, places },
    other: { by: [], values: [], places: [] },
    subtotals: [],
    tiers,
    cells: cellsOf(parts),
    quantiles,
    numbers: out.finish(),
  };
}

/** Groups by the values of their labels, in the order in which they come first. */
function groupsOf(parts: readonly AnswerPart[]): Iterable<{ values: readonly string[]; parts: GroupPart[] }> {
  const groups = new Map<string, { values: readonly string[]; parts: GroupPart[] }>();
  for (const [index, part] of parts.entries())
    eachGroup(part.answer.groups, (values, at) => {
      const key = keyOf(values);
      let group = groups.get(key);
      if (!group) {
        group = { values, parts: parts.map((one) => ({ ...one, at: undefined })) };
        groups.set(key, group);
      }
      group.parts[index] = { ...part, at };
    });
  return groups.values();
}

function eachGroup({ by, values, places }: EncodedGroups, found: (values: string[], at: number) => void): void {
  for (const [group, at] of places.entries()) found(values.slice(group * by.length, (group + 1) * by.length), at);
}

function isMeasured({ answer: { numbers }, at, first, count }: GroupPart): boolean {
  if (at === undefined) return false;
  const start = numbers[at + GROUP_FIELDS.measured] ?? 0;
  return numbers[start + first] !== numbers[start + first + count];
}

const cellsOf = (parts: readonly AnswerPart[]): number => parts.reduce((sum, { count }) => sum + count, 0);

/** Writes the fields of one group. */
class GroupJoiner {
  private readonly out: NumberWriter;
  private readonly parts: readonly GroupPart[];
  private readonly quantiles: number;
  private readonly cells: number;

  constructor(out: NumberWriter, parts: readonly GroupPart[], quantiles: number) {
    this.out = out;
    this.parts = parts;
    this.quantiles = quantiles;
    this.cells = cellsOf(parts);
  }

  /** Where the group begins. */
  write(): number {
    const { out } = this;
    const at = out.reserve(GROUP_FIELDS.length);
    for (const field of COLUMN_FIELDS) out.set(at + field, this.columns(field, 1));
    out.set(at + GROUP_FIELDS.gauges, this.columns(GROUP_FIELDS.gauges, 1 + STORED_GAUGES.length));
    out.set(at + GROUP_FIELDS.latency, this.columns(GROUP_FIELDS.latency, LATENCY_COLUMNS));
    out.set(at + GROUP_FIELDS.quantiles, this.quantileCells());
    out.set(at + GROUP_FIELDS.measured, this.lists(GROUP_FIELDS.measured));
    out.set(at + GROUP_FIELDS.bins, this.lists(GROUP_FIELDS.bins));
    return at;
  }

  /** Columns that follow one another in a field; -1 where no part has them. */
  private columns(field: number, columns: number): number {
    if (!this.parts.some((part) => this.hasNumbers(part, field, columns))) return -1;
    const { cells, out } = this;
    const at = out.reserve(columns * cells);
    let before = 0;
    for (const part of this.parts) {
      const start = placeOf(part, field);
      for (let column = 0; column < columns && start >= 0; column++) {
        const from = start + column * part.answer.cells + part.first;
        out.copy(at + column * cells + before, part.answer.numbers.subarray(from, from + part.count));
      }
      before += part.count;
    }
    return at;
  }

  /** Single columns that are 0 in the cells that are taken need not be kept. */
  private hasNumbers(part: GroupPart, field: number, columns: number): boolean {
    const start = placeOf(part, field);
    if (start < 0 || columns > 1) return start >= 0;
    const { numbers } = part.answer;
    for (let cell = start + part.first; cell < start + part.first + part.count; cell++)
      if (numbers[cell] !== 0) return true;
    return false;
  }

  /** Several numbers per cell, cell by cell; cells of a part without the group are not measured, and not read. */
  private quantileCells(): number {
    if (!this.parts.some((part) => placeOf(part, GROUP_FIELDS.quantiles) >= 0)) return -1;
    const size = this.quantiles * QUANTILE_FIELDS;
    const at = this.out.reserve(size * this.cells);
    let before = 0;
    for (const part of this.parts) {
      const start = placeOf(part, GROUP_FIELDS.quantiles);
      const from = start + part.first * size;
      if (start >= 0) this.out.copy(at + before * size, part.answer.numbers.subarray(from, from + part.count * size));
      before += part.count;
    }
    return at;
  }

  /** Pairs of numbers, any number of them per cell. */
  private lists(field: number): number {
    const { out, cells } = this;
    if (!this.parts.some((part) => placeOf(part, field) >= 0)) return -1;
    const at = out.reserve(cells + 1);
    let [before, pairs] = [0, 0];
    for (const part of this.parts) {
      const { numbers, cells: ownCells } = part.answer;
      const start = placeOf(part, field);
      const first = start < 0 ? 0 : (numbers[start + part.first] ?? 0);
      const end = start < 0 ? 0 : (numbers[start + part.first + part.count] ?? 0);
      for (let cell = 0; cell < part.count; cell++)
        out.set(at + before + cell, pairs + (start < 0 ? 0 : (numbers[start + part.first + cell] ?? 0) - first));
      const base = start + ownCells + 1;
      out.copy(out.reserve(2 * (end - first)), numbers.subarray(base + 2 * first, base + 2 * end));
      before += part.count;
      pairs += end - first;
    }
    out.set(at + cells, pairs);
    return at;
  }
}

/** Where a field of the group begins; negative where there is none. */
function placeOf({ answer: { numbers }, at }: GroupPart, field: number): number {
  return at === undefined ? -1 : (numbers[at + field] ?? -1);
}
