import { useLayoutEffect } from 'preact/hooks';

/** Every row's focus is that of its head: the link in it, or the head itself. */
const ROWS = ':is(table.rows-by-key, .rows-by-key table) tbody tr[data-row]';

function headOf(row: Element | undefined): HTMLElement | null {
  return row?.querySelector<HTMLElement>('th a, th[tabindex]') ?? null;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, select, textarea');
}

/** j and k move through the rows from anywhere; the arrow keys once a row has the focus. Enter follows its link. */
export function useRowKeys(): void {
  useLayoutEffect(() => {
    const stop = new AbortController();
    document.addEventListener('keydown', moveRow, { signal: stop.signal });
    return () => stop.abort();
  }, []);
}

function moveRow(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  const rows = [...document.querySelectorAll(ROWS)];
  const focused = rows.findIndex((row) => row.contains(document.activeElement));
  const target = targetRow(event, focused, rows.length);
  if (target === null) return;
  const head = headOf(rows[target]);
  if (!head) return;
  event.preventDefault();
  head.focus();
  head.scrollIntoView({ block: 'nearest' });
}

function targetRow(event: KeyboardEvent, focused: number, rows: number): number | null {
  const fromSearch = isTyping(event.target);
  const isSearch = event.target instanceof HTMLInputElement && event.target.type === 'search';
  if (fromSearch) return isSearch && event.key === 'ArrowDown' ? 0 : null;
  const last = rows - 1;
  if (event.key === 'j' || (event.key === 'ArrowDown' && focused >= 0)) return Math.min(last, focused + 1);
  if (event.key === 'k' || (event.key === 'ArrowUp' && focused >= 0)) return Math.max(0, focused - 1);
  if (focused < 0) return null;
  if (event.key === 'Home') return 0;
  return event.key === 'End' ? last : null;
}
