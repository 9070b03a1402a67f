import { keyOf } from '../../model/labels.ts';
import type { EncodedGroups, NumberWriter } from '../answer.ts';
import type { CellGrid } from '../cell-grid.ts';
import { encodeGroup } from '../group-cells.ts';
import { GroupSum } from '../group-sum.ts';
import type { SeriesLabel, SeriesLabels, SumQuery } from '../store.ts';
import type { PlannedGroup } from './query-plan.ts';

/** Sums that are done with, to be used again: their memory is what makes them dear. */
export class FreeSums {
  readonly cells: number;
  private readonly most: number;
  private readonly free: GroupSum[] = [];

  constructor(cells: number, most: number) {
    this.cells = cells;
    this.most = most;
  }

  take(labels: SeriesLabels): GroupSum {
    return (this.free.pop() ?? new GroupSum(this.cells)).reset(labels);
  }

  give(sum: GroupSum): void {
    if (this.free.length < this.most) this.free.push(sum);
  }
}

export interface GroupsOptions {
  readonly query: SumQuery;
  readonly grid: CellGrid;
  readonly free: FreeSums;
  /** Keys of the groups that stay by themselves; absent: all. */
  readonly chosen: ReadonlySet<string> | undefined;
}

interface OpenGroup {
  readonly group: PlannedGroup;
  readonly sum: GroupSum;
}

/** The groups of an answer: those that are being added up, and the places of those that are done. */
export class Groups {
  open: OpenGroup[] = [];
  /** Those that are done, and those that are open. */
  count = 0;
  readonly free: FreeSums;
  private readonly options: GroupsOptions;
  private readonly byIndex: (GroupSum | undefined)[] = [];
  private readonly done: GroupList;
  private readonly other: GroupSum;
  private readonly subtotals: readonly Subtotals[];

  constructor(options: GroupsOptions) {
    this.options = options;
    this.free = options.free;
    const { query, grid } = options;
    this.done = new GroupList(query.by);
    this.other = new GroupSum(grid.grid.steps);
    this.subtotals = (query.subtotals ?? []).map((by) => new Subtotals(by, grid.grid.steps));
  }

  of(group: PlannedGroup): GroupSum {
    return this.byIndex[group.index] ?? this.begin(group);
  }

  private begin(group: PlannedGroup): GroupSum {
    const { chosen, free } = this.options;
    if (chosen && !chosen.has(group.key)) return this.other;
    const sum = free.take(group.labels);
    this.open.push({ group, sum });
    this.count++;
    this.byIndex[group.index] = sum;
    return sum;
  }

  /** Of groups that were measured. */
  encodeOpen(out: NumberWriter): void {
    for (const { sum } of this.open) if (sum.isMeasured) this.encode(out, sum);
  }

  encode(out: NumberWriter, sum: GroupSum): void {
    this.done.add(sum, encodeGroup(out, sum, this.encodeOptions));
    for (const one of this.subtotals) one.add(sum);
  }

  clear(): void {
    for (const { group, sum } of this.open) {
      this.byIndex[group.index] = undefined;
      this.options.free.give(sum);
    }
    this.open = [];
  }

  encodeRest(out: NumberWriter): { groups: EncodedGroups; other: EncodedGroups; subtotals: EncodedGroups[] } {
    const rest = new GroupList([]);
    if (this.other.isMeasured) rest.add(this.other, encodeGroup(out, this.other, this.encodeOptions));
    const subtotals = this.subtotals.map(({ by, sums }) => {
      const list = new GroupList(by);
      for (const sum of sums.values()) list.add(sum, encodeGroup(out, sum, this.encodeOptions));
      return list.encoded;
    });
    return { groups: this.done.encoded, other: rest.encoded, subtotals };
  }

  private get encodeOptions() {
    const { query, grid } = this.options;
    return { grid, bins: query.bins, quantiles: query.quantiles };
  }
}

/** Sums by fewer labels. */
class Subtotals {
  readonly by: readonly SeriesLabel[];
  readonly sums = new Map<string, GroupSum>();
  private readonly cells: number;

  constructor(by: readonly SeriesLabel[], cells: number) {
    this.by = by;
    this.cells = cells;
  }

  add(group: GroupSum): void {
    const values = this.by.map((label) => group.labels[label] ?? '');
    const key = keyOf(values);
    let sum = this.sums.get(key);
    if (!sum) {
      const labels = Object.fromEntries(this.by.map((label, index) => [label, values[index] ?? '']));
      sum = new GroupSum(this.cells).reset(labels);
      this.sums.set(key, sum);
    }
    sum.addGroup(group);
  }
}

class GroupList {
  readonly encoded: EncodedGroups & { values: string[]; places: number[] };

  constructor(by: readonly SeriesLabel[]) {
    this.encoded = { by, values: [], places: [] };
  }

  add({ labels }: GroupSum, place: number): void {
    for (const label of this.encoded.by) this.encoded.values.push(labels[label] ?? '');
    this.encoded.places.push(place);
  }
}
