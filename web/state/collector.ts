/** The connection to the collector that this page belongs to, and when it is followed. */

import { computed, effect, signal } from '@preact/signals';
import type { StatusAnswer } from '../../server/api/contract.ts';
import { api, ask, type Span } from '../api.ts';
import { createLive, openEventStream } from './live.ts';
import { changeView, location } from './router.ts';
import { chooseStep, keptStepMs, type Step, windowMs } from './window.ts';

export const live = createLive({
  openStream: (handlers) => openEventStream(api.eventsPath, handlers),
  after: (ms, callback) => {
    const timer = window.setTimeout(callback, ms);
    return () => window.clearTimeout(timer);
  },
  now: () => Date.now(),
});

/** What the collector says about itself; null until it has. Asked for once, and again where a page needs it. */
export const status = signal<StatusAnswer | null>(null);

/** Milliseconds between scrapes. */
export const scrapeIntervalMs = computed(
  () => live.latestTick.value?.intervalMs ?? status.value?.scrape.intervalMs ?? 15_000,
);

/** How late the newest figures may be without anything being wrong. */
export const graceMs = computed(() => 2 * scrapeIntervalMs.value);

/** How far back stored data reaches, in milliseconds; null while unknown. */
export const historyMs = computed(() => {
  const known = status.value;
  return known?.storage.oldest ? known.now - known.storage.oldest : null;
});

/** Where the time looked at ends, if it does not end now. */
export const endsAt = computed(() => location.value.view.range?.to ?? location.value.view.pausedAt);

export const paused = computed(() => endsAt.value !== null);

/** The time that figures and charts cover. */
export const timeSpan = computed<Span>(() => {
  const { window, range, pausedAt } = location.value.view;
  if (range) return { window, windowMs: range.to - range.from, until: range.to };
  return { window, windowMs: windowMs(window), until: pausedAt };
});

/** How much earlier the time is that figures are compared with; null where none is asked for. */
export const comparison = computed(() => {
  const { compare } = location.value.view;
  return compare === '' ? null : { offset: compare, offsetMs: windowMs(compare) };
});

/** Steps for the time looked at, or that time `offsetMs` earlier: no finer than it is kept. */
export function stepFor(mostPoints: number, offsetMs = 0): Step {
  const { windowMs: length, until } = timeSpan.value;
  const known = status.value;
  const now = live.latestTick.peek()?.at ?? known?.now ?? Date.now();
  const ageMs = now - (until ?? now) + length + offsetMs;
  const finest = Math.max(scrapeIntervalMs.value, keptStepMs(known?.storage.tiers ?? [], ageMs));
  return chooseStep({ windowMs: length, scrapeIntervalMs: finest, mostPoints });
}

/** Stops time at what is shown, or lets it go on. */
export function togglePause(): void {
  const pausedAt = paused.peek() ? null : (live.latestTick.peek()?.at ?? Date.now());
  const leavesRange = location.peek().view.range !== null;
  changeView({ pausedAt, range: null }, { replace: !leavesRange });
}

async function learnStatus(): Promise<void> {
  try {
    status.value = await ask(api.status(), new AbortController().signal);
  } catch {
    // Nothing depends on it, and whatever keeps it from answering shows where the page's own figures are missing.
  }
}

/** A page that is hidden or paused asks for nothing. */
export function startFollowing(): void {
  const visible = signal(!document.hidden);
  document.addEventListener('visibilitychange', () => {
    visible.value = !document.hidden;
  });
  let first = true;
  effect(() => {
    if (!visible.value || paused.value) return live.stop();
    live.start({ refresh: !first });
    first = false;
  });
  void learnStatus();
  live.onRefresh(() => {
    if (status.peek() === null) void learnStatus();
  });
}
