/** Answers of the collector as a page shows them: kept while newer ones are on their way, replaced in place. */

import { type ReadonlySignal, signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { type ApiRequest, ask, Refused, Unintelligible } from '../api.ts';
import { live } from './collector.ts';
import { createTogether } from './together.ts';

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

/** What one refresh brings is shown at once: a page that asks for three answers is drawn once, not three times. */
const together = createTogether((ms, callback) => window.setTimeout(callback, ms));

/** When the tick was, in Unix milliseconds, of which the page shows what it asked for; null before the first. */
export const shownTick = signal<number | null>(null);
live.onRefresh(() =>
  together.show(() => {
    shownTick.value = live.latestTick.peek()?.at ?? null;
  }),
);

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
    const asking = startAsking<Data>(request ?? { path }, pace.current, (next) => {
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

function startAsking<Data>(request: ApiRequest<Data>, firstEveryMs: number, show: (outcome: Outcome<Data>) => void) {
  const abort = new AbortController();
  let underWay = false;
  let answeredInStep: number | null = null;

  async function load(step: number): Promise<void> {
    underWay = true;
    const ended = together.started();
    try {
      const isFirst = !kept.has(request.path);
      const data = await askAgain(request, abort.signal);
      answeredInStep = step;
      keep(request.path, data);
      live.report('answered');
      const showData = () => show({ data, error: null, outdated: false });
      if (isFirst) showData();
      else together.show(() => !abort.signal.aborted && showData());
    } catch (error) {
      if (abort.signal.aborted) return;
      answeredInStep = null;
      live.report(error instanceof Refused || error instanceof Unintelligible ? 'answered' : 'failed');
      show({ error: error instanceof Error ? error : new Error(String(error)), outdated: true });
    } finally {
      underWay = false;
      ended();
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

/** Of an answer that is known, only what came since, where that can be asked for. */
async function askAgain<Data>(request: ApiRequest<Data>, signal: AbortSignal): Promise<Data> {
  const known = kept.get(request.path) as Data | undefined;
  if (known === undefined || !request.newest) return ask(request, signal);
  const newest = await ask<Data>(request.newest, signal);
  return request.newest.join(known, newest) ?? ask(request, signal);
}
