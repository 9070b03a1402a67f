/** What several requests ask the store for is asked once, until there are newer figures. */

import type { Store, SumAnswer, SumQuery } from '../store/store.ts';

type AskedStore = Pick<Store, 'sums'>;

/** Most cells that are kept for whoever asks next, of all answers together; what is more is for those who wait for it. */
const MOST_CELLS = 5000;

/** A question that is being asked, or was. */
interface Asked {
  readonly query: SumQuery;
  readonly answer: Promise<SumAnswer>;
}

/**
 * The charts of a page ask for one signal each, many of which are worked out from the same sums. A question is answered
 * from one that tells as much, or more: counts from one that tells latencies, too.
 */
export class SharedSums implements AskedStore {
  private readonly store: AskedStore;
  private readonly version: () => string;
  private asked = new Map<string, Set<Asked>>();
  private cells = 0;
  private current = '';

  /** `version`: gives another text when there are newer figures. */
  constructor(store: AskedStore, version: () => string) {
    this.store = store;
    this.version = version;
  }

  /** Who is given another one's answer asks anew where that one was given up or failed. */
  async sums(query: SumQuery): Promise<SumAnswer> {
    if (!isShared(query)) return this.store.sums(query);
    this.renew();
    const key = keyOf(query);
    for (const one of this.asked.get(key) ?? [])
      if (tells(one.query, query)) return one.answer.catch(() => this.store.sums(query));
    return this.ask(key, query);
  }

  private renew(): void {
    const version = this.version();
    if (version === this.current) return;
    this.current = version;
    this.asked = new Map();
    this.cells = 0;
  }

  private ask(key: string, query: SumQuery): Promise<SumAnswer> {
    const { asked } = this;
    const own: Asked = { query, answer: this.store.sums(query) };
    const questions = asked.get(key) ?? new Set();
    asked.set(key, questions.add(own));
    const forget = () => {
      questions.delete(own);
      if (questions.size === 0) asked.delete(key);
    };
    own.answer.then((answer) => {
      const cells = cellsOf(query, answer);
      if (asked !== this.asked || this.cells + cells > MOST_CELLS) forget();
      else this.cells += cells;
    }, forget);
    return own.answer;
  }
}

/** Answers over one cell are kept as they are sent. */
function isShared({ stepMs, top, subtotals }: SumQuery): boolean {
  return stepMs !== undefined && top === undefined && !subtotals?.length;
}

function keyOf({ from, to, stepMs, direction, match, without, by }: SumQuery): string {
  return JSON.stringify([from, to, stepMs, direction, match, without, by]);
}

/** Whether the answer to a question about the same groups and times is one to the other, too. */
function tells(asked: SumQuery, query: SumQuery): boolean {
  if (!query.bins) return true;
  if (!asked.bins || !asked.quantiles !== !query.quantiles) return false;
  return (query.quantiles ?? []).join() === (asked.quantiles ?? []).join();
}

function cellsOf({ from, to, stepMs = to - from }: SumQuery, { groups }: SumAnswer): number {
  return groups.length * Math.ceil((to - from) / stepMs);
}
