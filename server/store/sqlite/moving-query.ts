import type { Interval } from '../../model/spread.ts';
import { type EncodedAnswer, NumberWriter } from '../answer.ts';
import { CellGrid } from '../cell-grid.ts';
import { becomeRest } from '../kept-group.ts';
import { type KeptSums, SumsKeeper } from '../kept-sums.ts';
import type { SumQuery } from '../store.ts';
import { type Segment, tierNames } from '../tiers.ts';
import { batchesOf } from './batches.ts';
import { Groups } from './groups.ts';
import type { ReadAnswer } from './known-answers.ts';
import { type Readable, segmentsOf } from './query.ts';
import { checkLimits, checkSize, mostOpen } from './query-limits.ts';
import type { PlannedUnit, QueryPlan } from './query-plan.ts';
import { UnitReader, type UnitReaderParts } from './unit-reader.ts';

/** How what is known of a query's time goes on with it. */
export interface Move {
  readonly known: KeptSums | undefined;
  /** The beginning of what is known, which is older than the query's time. */
  readonly gone: Interval | undefined;
  /** What follows what is known, and is taken to be settled. */
  readonly came: Interval | undefined;
  /** What is known then. */
  readonly rest: Interval;
  /** The query's time but for that. */
  readonly present: readonly Interval[];
}

export interface Moved extends ReadAnswer {
  /** Of all of {@link Move.rest}. */
  readonly sums: KeptSums;
}

/** `unsettled`: what came is not settled. `different`: the answer may not be what it is when all is read anew. */
export type Unmoved = 'unsettled' | 'different';

/** Bytes of a group's sums, to begin with. */
const ROOM = 16 * 1024;

/**
 * Answers a query of one cell, without `top`, from what is known of its time: of each group what is known less what went,
 * and what came, is kept, and then has what is not settled yet added to it.
 */
export class MovingQuery {
  private readonly query: SumQuery;
  private readonly move: Move;
  /** What the whole time is answered from. */
  private readonly segments: readonly Segment[];
  private readonly plan: QueryPlan;
  private readonly groups: Groups;
  private readonly gone: UnitReader;
  private readonly came: UnitReader;
  private readonly present: UnitReader;
  private readonly kinds: ReadonlySet<number>;
  private readonly keeper: SumsKeeper | undefined;
  /** By the place of what is known: whether it was looked at. */
  private readonly seen: Uint8Array;

  constructor(
    readable: Readable,
    { query, move, segments }: { query: SumQuery; move: Move; segments: readonly Segment[] },
  ) {
    const { catalog, sources, plans, free } = readable;
    const { newest } = sources.state();
    this.query = query;
    this.move = move;
    this.segments = segments;
    this.plan = plans.of(query);
    const cells = new CellGrid(query, newest);
    const groups = new Groups({ query, grid: cells, free, chosen: undefined });
    this.groups = groups;
    const check = (): void => {
      checkLimits(query);
      checkSize(query, groups.count);
    };
    const parts: UnitReaderParts = { bins: query.bins, catalog, sources, plan: this.plan, groups, check };
    const segmentsIn = (time: Interval): Segment[] => segmentsOf({ ...query, ...time }, readable);
    const part = (time: Interval | undefined, only: 'counts' | 'gone'): UnitReader => {
      const over = time ?? { from: query.from, to: query.to };
      return new UnitReader(parts, { segments: time ? segmentsIn(time) : [], cells: new CellGrid(over, newest), only });
    };
    this.gone = part(move.gone, 'gone');
    this.came = part(move.came, 'counts');
    this.present = new UnitReader(parts, { segments: move.present.flatMap(segmentsIn), cells });
    this.kinds = new Set([...this.gone.kinds, ...this.came.kinds, ...this.present.kinds]);
    this.keeper = move.gone || move.came ? new SumsKeeper(move.known?.room ?? ROOM) : undefined;
    this.seen = new Uint8Array(move.known?.names.length ?? 0);
  }

  run(): Moved | Unmoved {
    const out = new NumberWriter();
    const { groups, present, move } = this;
    try {
      for (const units of batchesOf(this.plan, this.kinds, mostOpen(this.query, 1))) {
        const failed = this.add(units);
        if (failed) return failed;
        groups.encodeOpen(out);
        groups.clear();
      }
    } finally {
      groups.clear();
    }
    if (present.adder.hasTierGauges || !this.encodeOthers(out)) return 'different';
    const answer: EncodedAnswer = {
      ...groups.encodeRest(out),
      tiers: tierNames(this.segments),
      cells: 1,
      quantiles: this.query.quantiles?.length ?? 0,
      numbers: out.finish(),
    };
    const sums = this.keeper?.finish() ?? move.known;
    return sums ? { answer, settledTo: present.settledTo, sums } : 'different';
  }

  private add(units: readonly PlannedUnit[]): Unmoved | undefined {
    const { gone, came, present, groups, keeper } = this;
    this.openKnown(units);
    gone.add(units);
    if (gone.adder.isCut || !this.takeKnown()) return 'different';
    came.add(units);
    if (came.adder.isCut) return 'different';
    if (came.settledTo < (this.move.came?.to ?? 0)) return 'unsettled';
    if (keeper) for (const { group, sum } of groups.open) if (sum.isMeasured) keeper.add(group, sum);
    present.add(units);
    return undefined;
  }

  /** In their order, whether anything new was measured of them or not. */
  private openKnown(units: readonly PlannedUnit[]): void {
    const { known } = this.move;
    if (!known) return;
    for (const { groups } of units) for (const group of groups) if (known.find(group.key) >= 0) this.groups.of(group);
  }

  /** What went from each open group becomes what is known of it less that. @returns false where that can't be. */
  private takeKnown(): boolean {
    const { known, rest } = this.move;
    if (!known) return true;
    for (const { group, sum } of this.groups.open) {
      const place = known.find(group.key);
      if (place >= 0) this.seen[place] = 1;
      if (!becomeRest(sum, place >= 0 ? known.at(place) : undefined, rest)) return false;
    }
    return true;
  }

  /** What is known of groups that no unit has any more. @returns false where that can't be. */
  private encodeOthers(out: NumberWriter): boolean {
    const { known, rest } = this.move;
    const { free } = this.groups;
    for (let place = 0; known && place < known.names.length; place++) {
      const name = known.names[place];
      if (this.seen[place] || !name) continue;
      const sum = free.take(name.labels);
      if (!becomeRest(sum, known.at(place), rest)) return false;
      if (sum.isMeasured) {
        this.keeper?.add(name, sum);
        this.groups.encode(out, sum);
      }
      free.give(sum);
    }
    return true;
  }
}
