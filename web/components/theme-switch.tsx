import { chooseTheme, THEMES, type Theme, theme } from '../state/theme.ts';
import { explained } from './explained.ts';

const WORDS: Readonly<Record<Theme, string>> = { auto: 'as the system', light: 'light', dark: 'dark' };

/** Goes round the themes: as the system, light, dark. */
export function ThemeSwitch() {
  const current = theme.value;
  const next = THEMES[(THEMES.indexOf(current) + 1) % THEMES.length] ?? 'auto';
  return (
    <button
      type="button"
      class="theme-switch"
      aria-label={`Colours: ${WORDS[current]}`}
      onClick={() => chooseTheme(next)}
      {...explained(`Colours: ${WORDS[current]}. Press for ${WORDS[next]}.`)}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <circle class="outline" cx="8" cy="8" r="6" />
        {current === 'auto' && <path d="M8 2a6 6 0 0 0 0 12Z" />}
        {current === 'dark' && <circle cx="8" cy="8" r="6" />}
        {current === 'light' && <circle cx="8" cy="8" r="2.2" />}
      </svg>
    </button>
  );
}
