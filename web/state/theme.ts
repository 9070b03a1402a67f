/** Light, dark, or as the system says. Kept in the browser: it is the reader's, not the page's. */

import { signal } from '@preact/signals';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'sidelight-theme';

function read(): Theme {
  try {
    const stored = window.localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === stored) ?? 'auto';
  } catch {
    return 'auto';
  }
}

export const theme = signal<Theme>(read());

/** Counts changes of the colours in force, for what draws with them itself. */
export const coloursVersion = signal(0);

export function chooseTheme(next: Theme): void {
  theme.value = next;
  if (next === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  coloursVersion.value += 1;
  try {
    if (next === 'auto') window.localStorage.removeItem(KEY);
    else window.localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing still shows the choice until it leaves.
  }
}

/** Follows the system's choice, and goes to paper and back. The stored one is applied by theme.js before the first paint. */
export function watchTheme(): void {
  for (const condition of ['(prefers-color-scheme: dark)', 'print'])
    window.matchMedia(condition).addEventListener('change', () => {
      coloursVersion.value += 1;
    });
}
