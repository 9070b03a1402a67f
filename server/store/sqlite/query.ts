import { requestCount } from '../../model/flow.ts';
import { type EncodedAnswer, NumberWriter } from '../answer.ts';
import { CellGrid } from '../cell-grid.ts';
import type { SumQuery } from '../store.ts';
import { planSegments, type Segment, tierNames } from '../tiers.ts';
import { batchesOf } from './batches.ts';
import { FreeSums, Groups } from './groups.ts';
import { checkLimits, checkSize, mostOpen } from './query-limits.ts';
import type { QueryPlan, QueryPlans } from './query-plan.ts';
import type { ReaderCatalog } from './reader-catalog.ts';
import type { Sources } from './sources.ts';
import { UnitReader } from './unit-reader.ts';

/** Sums of several cells that a query keeps, to use them again itself. */
const MOST_FREE = 100;

/** What every query reads from. */
export interface Readable {
  readonly catalog: ReaderCatalog;
  readonly plans: QueryPlans;
  readonly sources: Sources;
  readonly slotMs: number;
  /** Sums of one cell that are used again by one query after the other. */
  readonly free: FreeSums;
}

export interface QueryParts extends Readable {
  readonly query: SumQuery;
  /** What its time is answered from; see {@link segmentsOf}. */
  readonly segments: readonly Segment[];
  /** Cells of the whole answer that the query is a part of. */
  readonly steps: number;
}

/** What a query's time is answered from. */
export function segmentsOf({ from, to, stepMs }: SumQuery, { sources, slotMs }: Readable): Segment[] {
  return planSegments({ from, to, stepMs, slotMs, keptFrom: sources.state().keptFrom });
}

/** One query of the file, within one transaction. */
export class StoreQuery {
  private readonly query: SumQuery;
  private readonly segments: readonly Segment[];
  private readonly steps: number;
  private readonly plan: QueryPlan;
  private readonly cells: CellGrid;
  private readonly groups: Groups;
  private readonly reader: UnitReader;

  constructor(parts: QueryParts) {
    const { query, segments, steps, catalog, plans, sources } = parts;
    this.query = query;
    this.segments = segments;
    this.steps = steps;
    this.plan = plans.of(query);
    this.cells = new CellGrid(query, sources.state().newest);
    const { plan, cells } = this;
    const { grid } = cells;
    const free = grid.steps === parts.free.cells ? parts.free : new FreeSums(grid.steps, MOST_FREE);
    this.groups = new Groups({ query, grid: cells, free, chosen: chosenGroups(parts) });
    const { groups } = this;
    const check = (): void => {
      checkLimits(query);
      checkSize(query, groups.count * this.steps);
    };
    this.reader = new UnitReader({ bins: query.bins, catalog, sources, plan, groups, check }, { segments, cells });
  }

  /** Up to then, what was read only changes when something that begins before then is stored; known when it was run. */
  get settledTo(): number {
    return this.reader.settledTo;
  }

  run(): EncodedAnswer {
    const out = new NumberWriter();
    const { groups } = this;
    this.read(() => groups.encodeOpen(out));
    return {
      ...groups.encodeRest(out),
      tiers: tierNames(this.segments),
      cells: this.cells.grid.steps,
      quantiles: this.query.quantiles?.length ?? 0,
      numbers: out.finish(),
    };
  }

  /** Keys of the groups with the most requests. */
  largest(top: number): Set<string> {
    const requests: [key: string, count: number][] = [];
    this.read(() => {
      for (const { group, sum } of this.groups.open) requests.push([group.key, sum.requests(requestCount)]);
    });
    return new Set(
      requests
        .sort(([, a], [, b]) => b - a)
        .slice(0, top)
        .map(([key]) => key),
    );
  }

  /** `finished`: groups that are open are added up. */
  private read(finished: () => void): void {
    const kinds = new Set(this.segments.map(({ tier }) => this.plan.kindOf(tier)));
    for (const units of batchesOf(this.plan, kinds, mostOpen(this.query, this.cells.grid.steps))) {
      this.reader.add(units);
      finished();
      this.groups.clear();
    }
  }
}

/** Keys of the groups that `top` keeps; undefined where it keeps all. */
function chosenGroups(parts: QueryParts): ReadonlySet<string> | undefined {
  const { top, stepMs: _, quantiles: __, subtotals: ___, ...whole } = parts.query;
  return top === undefined ? undefined : largestOf({ ...parts, query: { ...whole, bins: false } }, top);
}

function largestOf(parts: QueryParts, top: number): Set<string> {
  return new StoreQuery({ ...parts, segments: segmentsOf(parts.query, parts), steps: 1 }).largest(top);
}
