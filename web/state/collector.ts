/** The connection to the collector that this page belongs to, and when it is followed. */

import { computed, effect, signal } from '@preact/signals';
import type { StatusAnswer } from '../../server/api/contract.ts';
import { api, ask, type Span } from '../api.ts';
import { createLive, openEventStream } from './live.ts';
import { changeView, location } from './router.ts';
import { windowMs } from './window.ts';

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

export const paused = computed(() => location.value.view.pausedAt !== null);

/** The time that figures and charts cover. */
export const timeSpan = computed<Span>(() => {
  const { window, pausedAt } = location.value.view;
  return { window, windowMs: windowMs(window), until: pausedAt };
});

/** Stops time at what is shown, or lets it go on. */
export function togglePause(): void {
  const pausedAt = paused.peek() ? null : (live.latestTick.peek()?.at ?? Date.now());
  changeView({ pausedAt }, { replace: true });
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
