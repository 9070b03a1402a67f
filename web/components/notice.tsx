import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Refused, Unintelligible } from '../api.ts';
import { span } from '../format/time.ts';
import { live, paused } from '../state/collector.ts';
import { reach, silentSince } from '../state/connection.ts';

interface NoticeProps {
  readonly kind: 'bad' | 'warn' | 'plain';
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** Something the reader should know before the figures. */
export function Notice({ kind, title, children }: NoticeProps) {
  return (
    <section class={`notice ${kind}`}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** Short breaks heal by themselves before anyone could act on being told. */
const TELL_AFTER_MS = 2000;

/** Tells that the collector is silent, since when, and what happens next. Says nothing while all is well. */
export function ConnectionNotice() {
  const now = useSecondHand(reach(live.connection.value) === 'lost');
  const connection = live.connection.value;
  if (paused.value || reach(connection) !== 'lost') return null;
  if (now - (connection.troubleSince ?? now) < TELL_AFTER_MS) return null;
  const silence = span(now - silentSince(connection));
  return (
    <p class="banner">
      <span class="unseen" role="status">
        The collector does not answer.
      </span>
      <svg class="shape bad" viewBox="0 0 12 12" aria-hidden="true">
        <rect x="1.5" y="1.5" width="9" height="9" />
      </svg>
      <span>No data for {silence}: the collector does not answer. Trying again every 5&nbsp;s.</span>
    </p>
  );
}

/** The time now, moving on each second while it runs. */
function useSecondHand(runs: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!runs) return;
    setNow(Date.now());
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, [runs]);
  return now;
}

interface ErrorNoticeProps {
  readonly error: Error | null;
}

/** What the collector refused, in its own words, or that its answer is none. Its silence is told by {@link ConnectionNotice}, but while paused. */
export function ErrorNotice({ error }: ErrorNoticeProps) {
  if (error instanceof Refused) {
    return (
      <Notice kind="bad" title="The collector did not answer this">
        <p>
          {error.message} {paused.value ? '' : 'Asking again with the next scrape.'}
        </p>
      </Notice>
    );
  }
  if (error instanceof Unintelligible) {
    return (
      <Notice kind="bad" title="This is no answer of the collector">
        <p>
          In its place came {error.message}, perhaps from something between here and the collector.{' '}
          {paused.value ? '' : 'Asking again with the next scrape.'}
        </p>
      </Notice>
    );
  }
  if (!error || !paused.value) return null;
  return (
    <Notice kind="bad" title="The collector does not answer">
      <p>The page is paused, so it does not try again by itself. Press p to follow again.</p>
    </Notice>
  );
}
