import { spanInWords } from '../format/time.ts';
import { historyMs } from '../state/collector.ts';
import { changeView, location } from '../state/router.ts';
import { offeredWindows } from '../state/window.ts';

/** How far back figures and charts look. */
export function RangeChoice() {
  const current = location.value.view.window;
  return (
    <fieldset class="choices range">
      <legend class="unseen">Time looked at</legend>
      {offeredWindows(historyMs.value, current).map(({ window, ms }) => (
        <button key={window} type="button" aria-pressed={window === current} onClick={() => changeView({ window })}>
          <span aria-hidden="true">{window.replace(/\d+/, '$& ')}</span>
          <span class="unseen">last {spanInWords(ms)}</span>
        </button>
      ))}
    </fieldset>
  );
}
