import { clockTime } from '../format/time.ts';
import { type ChartUnit, valueLabel } from './axis-label.ts';
import { ChartCanvas } from './chart-canvas.tsx';
import { type ChartData, missing, shownStep } from './chart-data.ts';
import { type ChartEvent, eventInWords, eventsAt } from './chart-events.ts';
import { ChartTable } from './chart-table.tsx';
import { cursor } from './cursor.ts';
import { type Ghost, ghostAt } from './ghost.ts';
import { isLowerBound } from './heat.ts';

export interface ChartPanelProps {
  readonly title: string;
  readonly kind: 'stacked' | 'lines';
  readonly unit: ChartUnit;
  readonly data: ChartData;
  readonly logarithmic: boolean;
  readonly asTable: boolean;
}

/** A chart with a readout, or the table behind it. */
export default function ChartPanel({ title, kind, unit, data, logarithmic, asTable }: ChartPanelProps) {
  if (asTable) return <ChartTable title={title} data={data} unit={unit} />;
  return (
    <>
      <Readout data={data} unit={unit} />
      <ChartCanvas key={`${kind}${logarithmic}`} title={title} data={data} options={{ kind, unit, logarithmic }} />
    </>
  );
}

function ghostLabel(ghost: Ghost, time: number, unit: ChartUnit): string {
  const value = ghostAt(ghost, time);
  return value === null ? 'no data' : valueLabel(value, unit);
}

const EVENT_KINDS = [
  ['alert', 'alert fired', 'alerts fired'],
  ['start', 'sidecar started', 'sidecars started'],
] as const;

/** What began in the step pointed at; else how much there is in all, which is the legend of its marks too. */
function Events({ data, step }: { readonly data: ChartData; readonly step: number }) {
  const { events = [] } = data;
  const pointed = cursor.value === null ? [] : eventsAt(data, step);
  if (pointed.length > 0)
    return pointed.slice(0, MOST_POINTED).map((event) => (
      <li key={eventInWords(event)} class="event">
        <EventShape kind={event.kind} /> <b>{event.title}</b> {event.words}
      </li>
    ));
  return EVENT_KINDS.map(([kind, one, many]) => {
    const amount = events.filter((event) => event.kind === kind).length;
    return (
      amount > 0 && (
        <li key={kind} class="event">
          <EventShape kind={kind} /> {amount} {amount === 1 ? one : many}
        </li>
      )
    );
  });
}

const MOST_POINTED = 3;

function EventShape({ kind }: Pick<ChartEvent, 'kind'>) {
  return (
    <svg class={`event-shape ${kind}`} viewBox="0 0 12 12" aria-hidden="true">
      {kind === 'alert' ? (
        <path d="M2 0V12M2 1L10 5L2 9Z" />
      ) : (
        <path d="M6 0V6M6 5.5A2.5 2.5 0 1 1 6 10.5A2.5 2.5 0 1 1 6 5.5" />
      )}
    </svg>
  );
}

interface ReadoutProps {
  readonly data: ChartData;
  readonly unit: ChartUnit;
}

/** The values at the cursor, and the legend. */
function Readout({ data, unit }: ReadoutProps) {
  const step = shownStep(data, cursor.value);
  const time = data.times[step];
  return (
    <ul class="readout">
      <li class="time">{time === undefined ? '' : clockTime(time)}</li>
      {data.lines.map(({ key, label, values }) => {
        const value = values[step] ?? null;
        return (
          <li key={key}>
            <svg class={`swatch line-${key}`} viewBox="0 0 16 10" aria-hidden="true">
              <path d="M0 5H16" />
            </svg>
            {label}{' '}
            <b>
              {isLowerBound(data.heat, key, time) && '> '}
              {value === null ? missing(data, step) : valueLabel(value, unit)}
            </b>
          </li>
        );
      })}
      {data.ghost && time !== undefined && (
        <li>
          <svg class="swatch line-ghost" viewBox="0 0 16 10" aria-hidden="true">
            <path d="M0 5H16" />
          </svg>
          {data.ghost.label} <b>{ghostLabel(data.ghost, time, unit)}</b>
        </li>
      )}
      {data.heat && (
        <li>
          <svg class="swatch heat" viewBox="0 0 16 10" aria-hidden="true">
            <rect width="16" height="10" />
          </svg>
          spread of all answers
        </li>
      )}
      <Events data={data} step={step} />
    </ul>
  );
}
