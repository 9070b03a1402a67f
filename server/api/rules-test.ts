/** Alert rules tried on the past: long work, so one at a time, and only as long as somebody waits for it. */

import type { Response } from 'express';
import type { QueryLimits } from '../store/store.ts';
import type { RulesTestAnswer } from './contract.ts';
import { durationOf, type RawParams, RequestError, single, wholeNumber } from './params.ts';

export const RULES_TEST_PARAMS: readonly string[] = ['rule', 'window', 'max_alerts'];
export const MOST_ALERTS = 10_000;
const LEAST_WINDOW_MS = 60_000;
/** How long one test may take, in milliseconds. */
export const TEST_DEADLINE_MS = 60_000;

export interface RulesTestQuery {
  /** Names of the rules that are to be tried; empty: all. */
  readonly names: readonly string[];
  readonly window: string;
  readonly windowMs: number;
  readonly maxAlerts: number;
  readonly limits: QueryLimits;
}

export interface RulesTestView {
  rules(): { readonly rules: readonly { readonly name: string }[] };
  test(query: RulesTestQuery): Promise<RulesTestAnswer>;
}

export class RulesTest {
  private readonly view: RulesTestView;
  private readonly deadlineMs: number;
  private busy = false;

  constructor(view: RulesTestView, deadlineMs = TEST_DEADLINE_MS) {
    this.view = view;
    this.deadlineMs = deadlineMs;
  }

  /** @throws RequestError 503 while another one is under way. */
  async run(params: RawParams, response: Response): Promise<RulesTestAnswer> {
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const query = this.queryOf(params, { deadline: Date.now() + this.deadlineMs, cancelled });
    if (this.busy) throw new RequestError('rules are being tried on the past already: ask again later', 429, 'busy');
    const left = () => void Atomics.store(cancelled, 0, 1);
    response.on('close', left);
    this.busy = true;
    try {
      return await this.view.test(query);
    } finally {
      this.busy = false;
      response.off('close', left);
    }
  }

  private queryOf(params: RawParams, limits: QueryLimits): RulesTestQuery {
    const window = single(params, 'window') ?? '7d';
    const windowMs = durationOf('window', window);
    if (windowMs < LEAST_WINDOW_MS) throw new RequestError(`window=${window} is too short: write at least 1m`);
    const names = params.rule ?? [];
    const known = this.view.rules().rules.map(({ name }) => name);
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw new RequestError(
        `rule=${unknown}: there is no such rule; rules are ${known.join(', ') || 'none'}`,
        404,
        'not_found',
      );
    const maxAlerts = wholeNumber(params, 'max_alerts', { min: 0, max: MOST_ALERTS }) ?? 5;
    return { names, window, windowMs, maxAlerts, limits };
  }
}
