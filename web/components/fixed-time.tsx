import { useState } from 'preact/hooks';
import { fieldTime, momentOfField } from '../format/zone.ts';
import { timeSpan } from '../state/collector.ts';
import { changeView, location } from '../state/router.ts';
import { type FixedRange, MOST_MS } from '../state/url.ts';

/** A time with both ends fixed. */
export function FixedTime() {
  const { range, utc } = location.value.view;
  const { windowMs, until } = timeSpan.value;
  const to = range?.to ?? until ?? Date.now();
  const [refusal, setRefusal] = useState('');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const chosen = readRange(new FormData(form));
    setRefusal(typeof chosen === 'string' ? chosen : '');
    if (typeof chosen === 'string') return;
    changeView({ range: chosen, pausedAt: null });
    form.closest('details')?.removeAttribute('open');
  };
  return (
    <form class="fixed-time" onSubmit={submit} key={`${range?.from} ${range?.to} ${utc}`}>
      <p class="legend">From one moment to another</p>
      <label>
        <span class="unit">From</span>
        <input type="datetime-local" name="from" step="1" required defaultValue={fieldTime(to - windowMs)} />
      </label>
      <label>
        <span class="unit">To</span>
        <input type="datetime-local" name="to" step="1" required defaultValue={fieldTime(to)} />
      </label>
      <button type="submit" class="small">
        Show
      </button>
      {refusal !== '' && (
        <p class="error-text" role="alert">
          {refusal}
        </p>
      )}
    </form>
  );
}

/** The time that the fields name, or what is wrong with it. */
function readRange(fields: FormData): FixedRange | string {
  const from = momentOfField(String(fields.get('from')));
  const to = momentOfField(String(fields.get('to')));
  if (from === null || to === null) return 'Give both moments, with date and time of day.';
  if (from >= to) return 'The second moment must be later than the first.';
  return to - from > MOST_MS ? 'At most 400 days can be shown at once.' : { from, to };
}
