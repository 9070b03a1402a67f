import type { Store, SumAnswer, SumQuery } from '../../store/store.ts';
import { QueryTooLargeError } from '../../store/store.ts';

/** What sums are asked for, and in which steps of time. */
export interface CellSeries {
  readonly query: Omit<SumQuery, 'from' | 'to' | 'stepMs' | 'quantiles' | 'limits'>;
  /** Steps begin at whole multiples of `stepMs` from here on, Unix milliseconds. */
  readonly anchor: number;
  readonly stepMs: number;
}

/** Steps that are asked for at once at first; fewer where that is much. */
const STEPS = 60;
/** Cells of an answer that are held in memory, with their histograms or without. */
const CELLS_WITH_BINS = 10_000;
const CELLS = 100_000;
/** One for each end of the window, and one in between. */
const HELD = 3;

interface Chunk {
  readonly from: number;
  readonly steps: number;
  readonly groups: SumAnswer['groups'];
}

/** Sums step by step, asked of the store for many steps at once. */
export class CellChunks {
  private readonly series: CellSeries;
  private readonly store: Pick<Store, 'sums'>;
  private steps = STEPS;
  private held: Chunk[] = [];

  constructor(store: Pick<Store, 'sums'>, series: CellSeries) {
    this.store = store;
    this.series = series;
  }

  /** Groups that were measured in or around the step that begins at `from`, and where its cells are among theirs. */
  async at(from: number): Promise<{ groups: SumAnswer['groups']; index: number }> {
    const { stepMs } = this.series;
    const known = this.held.find((chunk) => from >= chunk.from && from < chunk.from + chunk.steps * stepMs);
    const chunk = known ?? (await this.ask(from));
    this.held = [chunk, ...this.held.filter((other) => other !== chunk)].slice(0, HELD);
    return { groups: chunk.groups, index: Math.round((from - chunk.from) / stepMs) };
  }

  private async ask(at: number): Promise<Chunk> {
    const { query, anchor, stepMs } = this.series;
    for (;;) {
      const { steps } = this;
      const length = steps * stepMs;
      const from = anchor + Math.floor((at - anchor) / length) * length;
      try {
        const { groups } = await this.store.sums({ ...query, from, to: from + length, stepMs });
        this.fit(groups.length);
        return { from, steps, groups };
      } catch (error) {
        if (!(error instanceof QueryTooLargeError) || steps === 1) throw error;
        this.steps = Math.ceil(steps / 2);
      }
    }
  }

  private fit(groups: number): void {
    const most = this.series.query.bins ? CELLS_WITH_BINS : CELLS;
    while (this.steps > 1 && this.steps * groups > most) this.steps = Math.ceil(this.steps / 2);
  }
}
