/** Shows the words of whatever is pointed at, focused or touched and carries a `data-hint`. One box for the whole page. */

import { useEffect, useRef } from 'preact/hooks';

const SHOW_AFTER_MS = 150;
const HIDE_AFTER_MS = 120;
const DISTANCE_PX = 6;
const EDGE_PX = 8;

export function HintLayer() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => (box.current ? followHints(box.current) : undefined), []);
  return <div class="hint" ref={box} role="tooltip" hidden />;
}

function followHints(box: HTMLElement): () => void {
  let timer = 0;
  let shown: Element | null = null;

  const hide = () => {
    shown = null;
    box.hidden = true;
  };
  const show = (owner: Element) => {
    const words = owner.getAttribute('data-hint');
    if (!words) return hide();
    shown = owner;
    box.textContent = words;
    box.hidden = false;
    place(box, owner.getBoundingClientRect());
  };
  const later = (ms: number, action: () => void) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(action, ms);
  };
  const ownerOf = (target: EventTarget | null) => (target instanceof Element ? target.closest('[data-hint]') : null);

  const pointed = (event: Event) => {
    if (event.target instanceof Node && box.contains(event.target)) return window.clearTimeout(timer);
    const owner = ownerOf(event.target);
    if (owner && owner !== shown) later(shown ? 0 : SHOW_AFTER_MS, () => show(owner));
    else if (owner) window.clearTimeout(timer);
    else later(HIDE_AFTER_MS, hide);
  };
  const focused = (event: Event) => {
    const owner = ownerOf(event.target);
    if (owner?.matches(':focus-visible')) later(0, () => show(owner));
  };
  const touched = (event: PointerEvent) => {
    const owner = event.pointerType === 'touch' ? ownerOf(event.target) : null;
    if (owner) later(0, () => show(owner));
    else if (event.pointerType === 'touch') hide();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === 'Escape') hide();
  };
  const blurred = () => later(HIDE_AFTER_MS, hide);

  const stop = new AbortController();
  const options = { signal: stop.signal, passive: true };
  document.addEventListener('pointerover', pointed, options);
  document.addEventListener('focusin', focused, options);
  document.addEventListener('focusout', blurred, options);
  document.addEventListener('pointerdown', touched, options);
  document.addEventListener('keydown', pressed, options);
  window.addEventListener('scroll', hide, { ...options, capture: true });
  return () => {
    stop.abort();
    window.clearTimeout(timer);
  };
}

/** Below its owner where there is room, else above; never outside the page. */
function place(box: HTMLElement, owner: DOMRect): void {
  box.style.left = '0px';
  box.style.top = '0px';
  const { width, height } = box.getBoundingClientRect();
  const page = document.documentElement;
  const left = Math.min(owner.left, page.clientWidth - width - EDGE_PX);
  const below = owner.bottom + DISTANCE_PX;
  const fitsBelow = below + height + EDGE_PX <= page.clientHeight;
  box.style.left = `${Math.max(EDGE_PX, left)}px`;
  box.style.top = `${fitsBelow ? below : Math.max(EDGE_PX, owner.top - DISTANCE_PX - height)}px`;
}
