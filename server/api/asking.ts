/** What one request may ask of the store: how long, and only as long as somebody listens. */

import type { ServiceDirectory } from '../live/services.ts';
import type { Sources as MeasuredSources } from '../measure/measured.ts';
import { QueryStoppedError, type Store, type SumAnswer, type SumQuery, TIERS, type TierName } from '../store/store.ts';
import type { AlertCounts } from './contract.ts';
import { RequestError } from './params.ts';

/** How long the queries of one request may take, in milliseconds. */
export const DEADLINE_MS = 10_000;
/** Most requests that ask the store at once. */
export const MAX_ASKING = 64;

/** What a request asks. */
export interface Sources extends MeasuredSources {
  /** Alerts of services, by `serviceKey`. */
  readonly alerts: ReadonlyMap<string, AlertCounts>;
  /** Tiers that answers were from so far, finest first. */
  readonly tiers: () => TierName[];
}

/** The store as one request sees it. */
class RequestStore {
  readonly used = new Set<TierName>();
  private readonly store: Pick<Store, 'sums'>;
  private readonly deadline: number;
  private readonly cancelled = new Int32Array(new SharedArrayBuffer(4));

  constructor(store: Pick<Store, 'sums'>, deadline: number) {
    this.store = store;
    this.deadline = deadline;
  }

  async sums(query: SumQuery): Promise<SumAnswer> {
    if (this.cancelled[0] === 1) throw new QueryStoppedError('nobody waits for the answer any more');
    const answer = await this.store.sums({ ...query, limits: { deadline: this.deadline, cancelled: this.cancelled } });
    for (const tier of answer.tiers) this.used.add(tier);
    return answer;
  }

  cancel(): void {
    Atomics.store(this.cancelled, 0, 1);
  }
}

export interface AskingOptions {
  readonly store: Pick<Store, 'sums'>;
  readonly alerts: () => ReadonlyMap<string, AlertCounts>;
  readonly deadlineMs?: number;
  readonly maxAsking?: number;
}

/** Lets so many requests ask the store at once; a query is given up when its request is. */
export class Asking {
  private readonly options: AskingOptions;
  private asking = 0;

  constructor(options: AskingOptions) {
    this.options = options;
  }

  /** Given up when `listener` closes. @throws RequestError 503 when too many ask already. */
  async run<T>(
    directory: ServiceDirectory,
    listener: Pick<NodeJS.EventEmitter, 'on' | 'off'>,
    ask: (sources: Sources) => Promise<T>,
  ): Promise<T> {
    const { store, alerts, deadlineMs = DEADLINE_MS, maxAsking = MAX_ASKING } = this.options;
    if (this.asking >= maxAsking)
      throw new RequestError(`${maxAsking} queries are being answered already: try again in a second`, 503, 'busy');
    const own = new RequestStore(store, Date.now() + deadlineMs);
    const left = () => own.cancel();
    listener.on('close', left);
    this.asking++;
    try {
      return await ask({
        store: own,
        directory,
        alerts: alerts(),
        tiers: () => TIERS.filter((tier) => own.used.has(tier)),
      });
    } finally {
      this.asking--;
      listener.off('close', left);
    }
  }
}
