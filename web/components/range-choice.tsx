import { AGO } from '../figures/tiers.ts';
import { dateTime, spanInWords } from '../format/time.ts';
import { historyMs } from '../state/collector.ts';
import { changeView, location } from '../state/router.ts';
import { COMPARISONS } from '../state/url.ts';
import { offeredWindows, windowMs } from '../state/window.ts';
import { FixedTime } from './fixed-time.tsx';
import { Menu } from './menu.tsx';

/** Pages that show how it was before. */
const COMPARED: ReadonlySet<string> = new Set(['fleet', 'service', 'instance']);

/** What time figures and charts cover, in which time zone it is told, and what it is compared with. */
export function RangeChoice() {
  return (
    <div class="range">
      <Menu name="time-menu" label={<TimeLabel />}>
        <WindowChoice />
        <FixedTime />
        <ZoneChoice />
      </Menu>
      {COMPARED.has(location.value.page.name) && <CompareChoice />}
    </div>
  );
}

function TimeLabel() {
  const { window, range, utc } = location.value.view;
  return (
    <>
      {range ? `${dateTime(range.from)} to ${dateTime(range.to)}` : `Last ${spanInWords(windowMs(window))}`}
      {utc && <span class="unit"> UTC</span>}
    </>
  );
}

function WindowChoice() {
  const { window: current, range } = location.value.view;
  return (
    <fieldset class="windows">
      <legend>Up to now</legend>
      {offeredWindows(historyMs.value, current).map(({ window, ms }) => (
        <button
          key={window}
          type="button"
          aria-pressed={range === null && window === current}
          aria-label={`last ${spanInWords(ms)}`}
          onClick={(event) => {
            changeView({ window, range: null });
            event.currentTarget.closest('details')?.removeAttribute('open');
          }}
        >
          {spanInWords(ms)}
        </button>
      ))}
    </fieldset>
  );
}

function ZoneChoice() {
  const { utc } = location.value.view;
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <fieldset class="choices">
      <legend>Times are told in</legend>
      <button type="button" aria-pressed={!utc} onClick={() => changeView({ utc: false }, { replace: true })}>
        {own === 'UTC' ? 'Local' : own.replaceAll('_', ' ')}
      </button>
      <button type="button" aria-pressed={utc} onClick={() => changeView({ utc: true }, { replace: true })}>
        UTC
      </button>
    </fieldset>
  );
}

function CompareChoice() {
  const { compare } = location.value.view;
  return (
    <label class="compare-choice">
      <span class="unit">Compare</span>{' '}
      <select
        value={compare}
        onChange={({ currentTarget: { value } }) =>
          changeView({ compare: COMPARISONS.find((known) => known === value) ?? '' })
        }
      >
        <option value="">none</option>
        {COMPARISONS.map((offset) => (
          <option key={offset} value={offset}>
            {AGO[offset]}
          </option>
        ))}
      </select>
    </label>
  );
}
