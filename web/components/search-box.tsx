import { useLayoutEffect, useRef } from 'preact/hooks';
import { changeView, location } from '../state/router.ts';
import { isTaken } from './shortcuts.ts';

interface SearchBoxProps {
  readonly label: string;
}

/** Narrows a table. `/` focuses it, Escape empties it. The words are in the address. */
export function SearchBox({ label }: SearchBoxProps) {
  const box = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    const stop = new AbortController();
    document.addEventListener('keydown', (event) => focusOnSlash(event, box.current), { signal: stop.signal });
    return () => stop.abort();
  }, []);
  const search = (words: string) => changeView({ search: words }, { replace: true });
  return (
    <div class="search">
      <label>
        <span class="unseen">{label}</span>
        <input
          ref={box}
          type="search"
          placeholder={label}
          value={location.value.view.search}
          autocomplete="off"
          spellcheck={false}
          aria-keyshortcuts="/"
          onInput={(event) => search(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            search('');
            event.currentTarget.blur();
          }}
        />
      </label>
      <span class="key" aria-hidden="true">
        /
      </span>
    </div>
  );
}

function focusOnSlash(event: KeyboardEvent, box: HTMLInputElement | null): void {
  if (event.key !== '/' || isTaken(event)) return;
  event.preventDefault();
  box?.focus();
  box?.select();
}
