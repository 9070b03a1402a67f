/** Answers of the collector as a page shows them: kept while newer ones are on their way, replaced in place. */

import { type ReadonlySignal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { type ApiRequest, ask, Refused, Unintelligible } from '../api.ts';
import { live } from './collector.ts';

export interface Answer<Data> {
  readonly data: Data | null;
  /** Why the newest try failed; null when it did not. */
  readonly error: Error | null;
  /** The data shown is not what is asked for now, such as that of another window. */
  readonly outdated: boolean;
}

const KEPT_ANSWERS = 40;
const kept = new Map<string, unknown>();

function keep(path: string, data: unknown): void {
  kept.delete(path);
  kept.set(path, data);
  const oldest = kept.keys().next();
  if (kept.size > KEPT_ANSWERS && !oldest.done) kept.delete(oldest.value);
}

/** Lets go of every answer, as where one turned out to be none. */
export function forgetAnswers(): void {
  kept.clear();
}

/**
 * Asks, and asks again at every refresh, or only once in `everyMs` where the answer changes no faster. A request still
 * under way is not repeated; one that is no longer wanted is given up. Without a request nothing is asked.
 */
export function useAnswer<Data>(request: ApiRequest<Data> | null, everyMs = 0): ReadonlySignal<Answer<Data>> {
  const path = request?.path ?? '';
  const answer = useSignal<Answer<Data>>({
    data: (kept.get(path) as Data | undefined) ?? null,
    error: null,
    outdated: false,
  });
  const pace = useRef(everyMs);
  pace.current = everyMs;

  useEffect(() => {
    if (path === '') {
      answer.value = { data: null, error: null, outdated: false };
      return;
    }
    const known = kept.get(path) as Data | undefined;
    const { data } = answer.peek();
    answer.value = { data: known ?? data, error: null, outdated: known === undefined && data !== null };
    const asking = startAsking<Data>(path, pace.current, (next) => {
      answer.value = { data: answer.peek().data, ...next };
    });
    const unsubscribe = live.onRefresh(() => asking.again(pace.current));
    return () => {
      unsubscribe();
      asking.giveUp();
    };
  }, [path]);

  return answer;
}

type Outcome<Data> = { data: Data; error: null; outdated: false } | { error: Error; outdated: boolean };

function startAsking<Data>(path: string, firstEveryMs: number, show: (outcome: Outcome<Data>) => void) {
  const abort = new AbortController();
  let underWay = false;
  let answeredInStep: number | null = null;

  async function load(step: number): Promise<void> {
    underWay = true;
    try {
      const data = await ask<Data>({ path }, abort.signal);
      answeredInStep = step;
      keep(path, data);
      live.report('answered');
      show({ data, error: null, outdated: false });
    } catch (error) {
      if (abort.signal.aborted) return;
      answeredInStep = null;
      live.report(error instanceof Refused || error instanceof Unintelligible ? 'answered' : 'failed');
      show({ error: error instanceof Error ? error : new Error(String(error)), outdated: true });
    } finally {
      underWay = false;
    }
  }

  const stepOf = (everyMs: number) => Math.floor((live.latestTick.peek()?.at ?? Date.now()) / Math.max(1, everyMs));
  void load(stepOf(firstEveryMs));
  return {
    again(everyMs: number) {
      const step = stepOf(everyMs);
      if (!underWay && (everyMs === 0 || step !== answeredInStep)) void load(step);
    },
    giveUp: () => abort.abort(),
  };
}
