import { useLayoutEffect } from 'preact/hooks';

/** Names the tab after what it shows. */
export function useTitle(title: string): void {
  useLayoutEffect(() => {
    document.title = `${title} · Sidelight`;
  }, [title]);
}
