/** The address bar as a signal. Changes of the page go through here, so that back and forward undo them. */

import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { timeZone } from '../format/zone.ts';
import { carriedView, decodeLocation, encodeLocation, type Location, type Page, type View } from './url.ts';

interface HistoryState {
  /** How far the page was scrolled when it was left. */
  readonly scrollY?: number;
  /** Row that had the focus when the page was left. */
  readonly row?: string;
}

function read(): Location {
  return decodeLocation(window.location.pathname, window.location.search);
}

const current = signal<Location>(read());

effect(() => {
  timeZone.value = current.value.view.utc ? 'utc' : 'local';
});

/** Where the reader is. */
export const location: ReadonlySignal<Location> = current;

/** What the page to be restored looked like when it was left; null on a page reached anew. */
export const returning = signal<HistoryState | null>(null);

function remember(): void {
  const row = document.activeElement?.closest<HTMLElement>('[data-row]')?.dataset.row;
  const state: HistoryState = row === undefined ? { scrollY: window.scrollY } : { scrollY: window.scrollY, row };
  window.history.replaceState(state, '');
}

/** Goes to a page; the time looked at comes along. */
export function openPage(page: Page): void {
  openAddress(addressOf(page));
}

/** Address of a page, with the time that is looked at now, and what else is asked for. */
export function addressOf(page: Page, asked: Partial<View> = {}): string {
  return encodeLocation({ page, view: { ...carriedView(current.value.view), ...asked } });
}

function openAddress(address: string): void {
  remember();
  window.history.pushState(null, '', address);
  returning.value = null;
  current.value = read();
  window.scrollTo(0, 0);
}

/** Changes how the page is looked at. `replace` leaves no entry to go back to, as for every letter of a search. */
export function changeView(change: Partial<View>, { replace = false } = {}): void {
  const { page, view } = current.peek();
  const address = encodeLocation({ page, view: { ...view, ...change } });
  if (replace) {
    window.history.replaceState(window.history.state, '', address);
  } else {
    remember();
    window.history.pushState(null, '', address);
  }
  current.value = read();
}

/** The server's own pages, which the app must not take over. */
const FOREIGN = /^\/(api|-|metrics|assets)(\/|$)/;

function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link?.target !== '' || link.hasAttribute('download') || link.origin !== window.location.origin) return;
  const isAnchor = link.hash !== '' && link.pathname === window.location.pathname;
  if (FOREIGN.test(link.pathname) || isAnchor) return;
  event.preventDefault();
  openAddress(link.pathname + link.search);
}

/** Starts to follow links, back and forward. */
export function startRouter(): void {
  window.history.scrollRestoration = 'manual';
  document.addEventListener('click', followLink);
  window.addEventListener('pagehide', remember);
  window.addEventListener('popstate', (event) => {
    returning.value = event.state as HistoryState | null;
    current.value = read();
  });
}
