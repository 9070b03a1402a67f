import type Database from 'better-sqlite3';
import type { Interval } from '../../model/spread.ts';
import { TIERS } from '../store.ts';
import { MINUTE, type Segment, TIER_LIST } from '../tiers.ts';
import { OpenRows } from './open-rows.ts';
import type { Unit } from './reader-catalog.ts';
import { blockTable, SERVICE, TARGET } from './schema.ts';

export interface LogRow {
  readonly unit: number;
  readonly t0: number;
  readonly t1: number;
  readonly layout: number;
  readonly data: Uint8Array;
}

/** Direction of rows that hold both. */
const BOTH = -1;

/** Everything that is stored of a unit and a time, wherever it is: each request once. */
export class Sources {
  private readonly statements: ReturnType<typeof prepare>;
  private readonly open: OpenRows;

  constructor(database: Database.Database) {
    this.statements = prepare(database);
    this.open = new OpenRows(database);
  }

  /** End of the newest scrape, by tier until when all was forgotten, and how many units' names were. */
  state(): { newest: number; keptFrom: number[]; forgotten: number } {
    const values = new Map(this.statements.state.all() as [string, number][]);
    return {
      newest: values.get('newest') ?? 0,
      forgotten: values.get('forgotten') ?? 0,
      keptFrom: TIERS.map((name) => values.get(`kept:${name}`) ?? 0),
    };
  }

  coverage(unit: Unit, { from, to }: Interval): Interval[] {
    return this.statements.coverage.all(unit.id, from, to) as Interval[];
  }

  /** What is in no block yet. `members` are the targets that a place stands for. */
  rows(unit: Unit, { from, to, direction }: Interval & { direction: number }, members: readonly Unit[]): LogRow[] {
    const { rows } = this.statements;
    if (unit.kind === TARGET) return rows.all(unit.id, BOTH, from, to) as LogRow[];
    if (unit.kind === SERVICE)
      return [...(rows.all(unit.id, direction, from, to) as LogRow[]), ...this.open.of(unit.id, { from, to })];
    return members.flatMap((member) => rows.all(member.id, BOTH, from, to) as LogRow[]);
  }

  /** Blocks of the segment's tier, and those of finer ones that are not in it yet. */
  *blocks(unit: Unit, { from, to, tier }: Segment, direction: number): Iterable<Uint8Array> {
    const { longestMs = 0 } = TIER_LIST[tier] ?? {};
    const range = { unit: unit.id, direction, from, to };
    yield* (this.statements.blocks[tier]?.all({ ...range, back: from - longestMs }) ?? []) as Uint8Array[];
    for (let finer = tier - 1; finer >= MINUTE; finer--)
      yield* (this.statements.pending[finer]?.all({ ...range, tier: finer }) ?? []) as Uint8Array[];
  }
}

function prepare(database: Database.Database) {
  return {
    state: database.prepare('SELECT name, value FROM state').raw(),
    coverage: database.prepare('SELECT t0 AS "from", t1 AS "to" FROM coverage WHERE unit = ? AND t1 > ? AND t0 < ?'),
    rows: database.prepare(
      'SELECT unit, t0, t1, layout, data FROM log WHERE unit = ? AND direction = ? AND t1 > ? AND t0 < ?',
    ),
    blocks: TIERS.map((tier) =>
      database
        .prepare(
          `SELECT data FROM ${blockTable(tier)}
           WHERE unit = :unit AND direction = :direction AND t0 > :back AND t0 < :to AND t1 > :from`,
        )
        .pluck(),
    ),
    pending: TIERS.map((tier) =>
      database
        .prepare(
          `SELECT data FROM pending JOIN ${blockTable(tier)} AS blocks ON blocks.id = pending.block
           WHERE pending.tier = :tier AND pending.unit = :unit AND pending.direction = :direction
             AND pending.t0 < :to AND pending.t1 > :from`,
        )
        .pluck(),
    ),
  };
}
