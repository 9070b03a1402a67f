/** The keys that work everywhere. Help and footer show what stands here. */

import { useLayoutEffect } from 'preact/hooks';
import { togglePause } from '../state/collector.ts';
import { openPage } from '../state/router.ts';
import type { PlainPage } from '../state/url.ts';

/** Second key after `g`, and where it leads. */
export const PAGE_KEYS: readonly { readonly key: string; readonly page: PlainPage; readonly title: string }[] = [
  { key: 'f', page: 'fleet', title: 'Fleet' },
  { key: 't', page: 'topology', title: 'Topology' },
  { key: 'r', page: 'regions', title: 'Regions' },
  { key: 'e', page: 'targets', title: 'Targets' },
  { key: 'a', page: 'alerts', title: 'Alerts' },
  { key: 'u', page: 'rules', title: 'Rules' },
  { key: 's', page: 'status', title: 'Status' },
];

const SECOND_KEY_WITHIN_MS = 1500;

/** Whether a key is meant for what has the focus, or for the browser. */
export function isTaken(event: KeyboardEvent): boolean {
  const typing = event.target instanceof HTMLElement && event.target.matches('input, select, textarea');
  return typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null;
}

/** `p` pauses, `g` and a letter goes to a page, `?` asks for help. */
export function useShortcuts(openHelp: () => void): void {
  useLayoutEffect(() => {
    const stop = new AbortController();
    let leaderAt = Number.NEGATIVE_INFINITY;
    const pressed = (event: KeyboardEvent) => {
      if (isTaken(event)) return;
      const page = PAGE_KEYS.find(({ key }) => key === event.key)?.page;
      const follows = event.timeStamp - leaderAt < SECOND_KEY_WITHIN_MS;
      leaderAt = event.key === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY;
      if (follows && page) openPage({ name: page });
      else if (event.key === 'p') togglePause();
      else if (event.key === '?') openHelp();
    };
    document.addEventListener('keydown', pressed, { signal: stop.signal });
    return () => stop.abort();
  }, []);
}
