import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { RulesTestAnswer } from '../../../server/api/contract.ts';
import { api, ask } from '../../api.ts';
import { Notice } from '../../components/notice.tsx';
import { dateTime, spanInWords } from '../../format/time.ts';
import '../../styles/rule-test.css';
import { RuleTestResult } from './rule-test-result.tsx';

const WINDOWS = [
  ['1d', 'last day'],
  ['7d', 'last 7 days'],
  ['30d', 'last 30 days'],
] as const;
const USUAL_WINDOW = '7d';
const MOST_ALERTS = 10_000;

interface Trial {
  readonly answer: RulesTestAnswer | null;
  readonly error: Error | null;
  readonly isUnderWay: boolean;
}

/** Tries rules on the stored past, when asked to. */
export function RuleTest({ names }: { readonly names: readonly string[] }) {
  const { trial, start, stop } = useTrial();
  const { answer, error, isUnderWay } = trial;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    start(String(fields.get('rule')), String(fields.get('window')), Number(fields.get('most')));
  };
  return (
    <section class="rule-test" aria-labelledby="rule-test-title">
      <h2 id="rule-test-title">Try on the past</h2>
      <form class="rule-test-form" onSubmit={submit}>
        <label>
          <span class="unit">Rule</span>
          <select name="rule">
            <option value="">All rules</option>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          <span class="unit">On the</span>
          <select name="window">
            {WINDOWS.map(([window, words]) => (
              <option key={window} value={window} selected={window === USUAL_WINDOW}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span class="unit">Find a threshold with at most</span>
          <input type="number" name="most" min="0" max={MOST_ALERTS} step="1" required defaultValue="5" />
          <span class="unit">alerts</span>
        </label>
        {isUnderWay ? (
          <button key="stop" type="button" class="small" onClick={stop}>
            Stop
          </button>
        ) : (
          <button key="try" type="submit" class="small">
            Try
          </button>
        )}
      </form>
      <p class="rule-test-progress" role="status">
        {isUnderWay ? 'The collector tries them, which may take up to a minute.' : ''}
      </p>
      {error && (
        <Notice kind="bad" title="They could not be tried">
          <p>{error.message}</p>
        </Notice>
      )}
      {answer && <Tried answer={answer} isOutdated={isUnderWay} />}
    </section>
  );
}

function Tried({ answer, isOutdated }: { readonly answer: RulesTestAnswer; readonly isOutdated: boolean }) {
  const { from, to, parts, rules } = answer;
  return (
    <div class={isOutdated ? 'outdated' : ''}>
      <p class="basis">
        {dateTime(from)} to {dateTime(to)}, evaluated{' '}
        {parts.map(({ stepMs, from: since }, index) => (
          <span key={since}>
            {index > 0 && ', '}every {spanInWords(stepMs)}
            {parts.length > 1 && ` from ${dateTime(since)} on`}
          </span>
        ))}
        .{parts.length > 1 && ' Older figures are kept in longer steps.'}
      </p>
      {rules.map((rule) => (
        <RuleTestResult key={rule.name} rule={rule} answer={answer} />
      ))}
    </div>
  );
}

/** One try at a time; it is given up with the page. */
function useTrial() {
  const trial = useSignal<Trial>({ answer: null, error: null, isUnderWay: false });
  const asking = useRef<AbortController | null>(null);
  const stop = () => {
    asking.current?.abort();
    asking.current = null;
    trial.value = { ...trial.peek(), isUnderWay: false };
  };
  useEffect(() => () => asking.current?.abort(), []);
  const start = (rule: string, window: string, most: number) => {
    stop();
    const own = new AbortController();
    asking.current = own;
    trial.value = { ...trial.peek(), error: null, isUnderWay: true };
    ask(api.rulesTest(rule, window, most), own.signal).then(
      (answer) => {
        if (!own.signal.aborted) trial.value = { answer, error: null, isUnderWay: false };
      },
      (error: unknown) => {
        if (own.signal.aborted) return;
        const reason = error instanceof Error ? error : new Error(String(error));
        trial.value = { answer: null, error: reason, isUnderWay: false };
      },
    );
  };
  return { trial: trial.value, start, stop };
}
