import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

/** How far beyond what is in sight something counts as near. */
const AROUND_PX = 320;

interface Nearness {
  readonly isNear: boolean;
  /** Height when it last came near or went, as in CSS; empty where it never did. */
  readonly height: string;
}

interface Part {
  /** As it was told last. */
  isNear: boolean;
  tell(isNear: boolean): void;
}

const followed = new Map<Element, Part>();
/** Those that came near or went, and have not been told yet. */
const changed = new Map<Element, boolean>();

const observer = new IntersectionObserver(
  (entries) => {
    if (changed.size === 0) requestAnimationFrame(tellNext);
    for (const { target, isIntersecting } of entries) {
      if (followed.get(target)?.isNear === isIntersecting) changed.delete(target);
      else changed.set(target, isIntersecting);
    }
  },
  { rootMargin: `${AROUND_PX}px` },
);

/** Each frame tells one that came near, that in the middle of the window first, and one that went: so none takes long. */
function tellNext(): void {
  const middle = window.innerHeight / 2;
  const distance = (part: Element) => Math.abs(part.getBoundingClientRect().top - middle);
  for (const isNear of [true, false]) {
    const [next] = [...changed.keys()]
      .filter((part) => changed.get(part) === isNear)
      .sort((a, b) => distance(a) - distance(b));
    if (!next) continue;
    changed.delete(next);
    const part = followed.get(next);
    if (!part || (!isNear && isBackNear(next))) continue;
    part.isNear = isNear;
    part.tell(isNear);
  }
  if (changed.size > 0) requestAnimationFrame(tellNext);
}

/** The observer tells of what is seen after a frame's own work: by now one may have scrolled back to what had gone. */
function isBackNear(part: Element): boolean {
  const { top, bottom } = part.getBoundingClientRect();
  return bottom >= -AROUND_PX && top <= window.innerHeight + AROUND_PX;
}

/** Whether a part of the page is in sight or nearly so; what `atFirst` says stands until that is known. */
export function useNear(part: RefObject<HTMLElement | null>, atFirst: () => boolean): Nearness {
  const [nearness, setNearness] = useState<Nearness>(() => ({ isNear: atFirst(), height: '' }));
  useLayoutEffect(() => {
    const element = part.current;
    if (!element) return;
    const tell = (isNear: boolean) => {
      // What has the focus is not taken from under the reader.
      if (isNear || !element.contains(document.activeElement))
        setNearness({ isNear, height: `${element.offsetHeight}px` });
    };
    followed.set(element, { isNear: nearness.isNear, tell });
    observer.observe(element);
    return () => {
      observer.unobserve(element);
      followed.delete(element);
      changed.delete(element);
    };
  }, []);
  return nearness;
}
