import type { VNode } from 'preact';
import { clockTime, dateTime, day } from '../format/time.ts';
import { shownTick } from '../state/answer.ts';
import { endsAt, live, paused, status, togglePause } from '../state/collector.ts';
import { type Reach, reach } from '../state/connection.ts';
import { location } from '../state/router.ts';
import { explained } from './explained.ts';

interface Shown {
  readonly mark: VNode;
  readonly label: string;
  readonly words: string;
  readonly kind: string;
}

/** Whether the page follows the present, and the switch that stops it. */
export function LiveControl() {
  const { range } = location.value.view;
  const at = endsAt.value ?? shownAt();
  const { mark, label, words, kind } = range
    ? PAST
    : paused.value
      ? pausedState(endsAt.value ?? 0)
      : followingState(at);
  return (
    <button
      type="button"
      class={`live ${kind}`}
      aria-pressed={paused.value}
      onClick={togglePause}
      {...explained(words)}
    >
      <svg class="mark" viewBox="0 0 12 12" aria-hidden="true">
        {mark}
      </svg>
      <span class="label" data-day={at === null ? '' : day(at)}>
        {label}
      </span>
    </button>
  );
}

const BARS = <path d="M2 1.5h3v9H2zM7 1.5h3v9H7z" />;
const DISC = <circle cx="6" cy="6" r="4" />;
const SQUARE = <rect x="1.5" y="1.5" width="9" height="9" />;
const TRIANGLE = <path d="M6 1.2 11.2 10.6H.8Z" />;
const RING = <circle class="outline" cx="6" cy="6" r="3.6" />;

function pausedState(at: number): Shown {
  return {
    mark: BARS,
    label: `Paused ${clockTime(at)}`,
    words: `Shows ${dateTime(at)} and asks for nothing new. Press to follow again (p).`,
    kind: 'paused',
  };
}

const PAST: Shown = {
  mark: BARS,
  label: 'Fixed time',
  words: 'Shows a time with a fixed end and asks for nothing new. Press to follow the present again (p).',
  kind: 'paused',
};

const FOLLOWING: Readonly<Record<Reach, Omit<Shown, 'label'> & { label: (at: number | null) => string }>> = {
  live: {
    mark: DISC,
    label: (at) => (at === null ? 'Loading' : `Live ${clockTime(at)}`),
    words: 'New figures come with every scrape. Press to pause (p).',
    kind: 'good',
  },
  polling: {
    mark: TRIANGLE,
    label: () => 'Asking',
    words: 'The event stream is lost, so the page asks every 5 s. Press to pause (p).',
    kind: 'warn',
  },
  lost: {
    mark: SQUARE,
    label: () => 'No answer',
    words: 'The collector does not answer. Trying again every 5 s.',
    kind: 'bad',
  },
  connecting: {
    mark: RING,
    label: () => 'Connecting',
    words: 'Waiting for the event stream. Press to pause (p).',
    kind: 'quiet',
  },
  closed: {
    mark: RING,
    label: () => 'Connecting',
    words: 'Waiting for the event stream. Press to pause (p).',
    kind: 'quiet',
  },
};

/** When the figures are of that the page shows: of the last tick, or before any as of when it was opened. */
function shownAt(): number | null {
  return shownTick.value ?? status.value?.now ?? null;
}

function followingState(at: number | null): Shown {
  const state = FOLLOWING[reach(live.connection.value)];
  return { ...state, label: state.label(at) };
}
