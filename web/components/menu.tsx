import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface MenuProps {
  readonly name: string;
  /** What stands on it. */
  readonly label: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A box of choices behind a button. Escape and a press elsewhere close it. */
export function Menu({ name, label, children }: MenuProps) {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    document.addEventListener('pointerdown', (event) => closeOutside(box.current, event), { signal });
    document.addEventListener('keydown', (event) => closeOnEscape(box.current, event), { signal });
    return () => stop.abort();
  }, []);
  return (
    <details class={`menu ${name}`} ref={box}>
      <summary>{label}</summary>
      <div class="menu-box">{children}</div>
    </details>
  );
}

function closeOutside(box: HTMLDetailsElement | null, { target }: Event): void {
  if (box?.open && target instanceof Node && !box.contains(target)) box.open = false;
}

function closeOnEscape(box: HTMLDetailsElement | null, { key }: KeyboardEvent): void {
  if (key !== 'Escape' || !box?.open) return;
  const held = box.contains(document.activeElement);
  box.open = false;
  if (held) box.querySelector('summary')?.focus();
}
