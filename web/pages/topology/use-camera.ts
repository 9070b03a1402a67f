/** Which part of the graph is seen, moved by pointer, wheel and buttons. */

import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Camera, lookAt, moreBeyond, pan, reveal, type Size, wholeOf, zoom } from './camera.ts';
import { NODE_HEIGHT, NODE_WIDTH, type Placement, type Spot } from './geometry.ts';

export interface CameraControl {
  readonly at: Camera;
  /** Sides on which there is more than is seen. */
  readonly more: readonly string[];
  readonly box: RefObject<HTMLDivElement | null>;
  readonly handlers: {
    onPointerDown(event: PointerEvent): void;
    onPointerMove(event: PointerEvent): void;
    onPointerUp(event: PointerEvent): void;
    onPointerLeave(event: PointerEvent): void;
    onPointerCancel(event: PointerEvent): void;
  };
  /** Whether the pointer moved the graph since it was pressed. */
  dragged(): boolean;
  zoomBy(factor: number): void;
  showAll(): void;
  /** Moves just so far that the place is seen. */
  show(place: Spot): void;
  /** Comes near enough to read what is at the place, and those around it if there is room. */
  lookAt(place: Spot, around: readonly Spot[]): void;
}

const START: Camera = { x: 0, y: 0, scale: 1 };
const CLICK_PX = 4;
const WHEEL_SPEED = 0.0022;
const NODE_ROOM: Size = { width: NODE_WIDTH + 24, height: NODE_HEIGHT + 24 };

/** Fits anew when the way of looking or the layout changes, and otherwise stays where the reader put it. */
export function useCamera(placement: Placement, name: string): CameraControl {
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<Camera>(START);
  const size = (): Size => ({ width: box.current?.clientWidth ?? 0, height: box.current?.clientHeight ?? 0 });
  const showAll = () => setAt(wholeOf(placement, size()));
  const moved = useRef(false);
  useLayoutEffect(() => {
    moved.current = false;
    showAll();
  }, [name, placement]);
  useEffect(() => {
    if (!box.current) return;
    const observer = new ResizeObserver(() => !moved.current && showAll());
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [placement]);
  const change = (next: (camera: Camera) => Camera, glides = false) => {
    moved.current = true;
    setAt((camera) => ({ ...next(camera), glides }));
  };
  useWheel(box, change);
  const drag = useDrag(change);
  return {
    at,
    more: moreBeyond(at, placement, size()),
    box,
    ...drag,
    showAll: () => {
      moved.current = false;
      showAll();
    },
    zoomBy: (factor) => change((camera) => zoom(camera, factor, [size().width / 2, size().height / 2])),
    lookAt: (place, around) => change((camera) => lookAt(camera, place, around, size(), NODE_ROOM), true),
    show: (place) => change((camera) => reveal(camera, place, size(), NODE_ROOM)),
  };
}

type Change = (next: (camera: Camera) => Camera) => void;

/** With Ctrl or ⌘, as pinching also comes, the wheel zooms; else it scrolls the page as everywhere. */
function useWheel(box: RefObject<HTMLDivElement | null>, change: Change): void {
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const stop = new AbortController();
    const turned = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      const factor = Math.exp(-event.deltaY * WHEEL_SPEED);
      const at: Spot = [event.clientX - left - element.clientLeft, event.clientY - top - element.clientTop];
      change((camera) => zoom(camera, factor, at));
    };
    element.addEventListener('wheel', turned, { signal: stop.signal, passive: false });
    return () => stop.abort();
  }, []);
}

function useDrag(change: Change): Pick<CameraControl, 'handlers' | 'dragged'> {
  const pointers = useRef(new Map<number, Spot>());
  const way = useRef(0);
  const moved = (event: PointerEvent) => {
    const held = pointers.current;
    const before = held.get(event.pointerId);
    if (!before) return;
    const now: Spot = [event.clientX, event.clientY];
    const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
    held.set(event.pointerId, now);
    way.current += distance(before, now);
    if (way.current < CLICK_PX) return;
    if (other) change((camera) => zoom(camera, distance(other, now) / Math.max(1, distance(other, before)), other));
    else change((camera) => pan(camera, now[0] - before[0], now[1] - before[1]));
  };
  const ended = (event: PointerEvent) => {
    pointers.current.delete(event.pointerId);
  };
  return {
    dragged: () => way.current >= CLICK_PX,
    handlers: {
      onPointerDown(event) {
        if (event.button !== 0) return;
        if (pointers.current.size === 0) way.current = 0;
        pointers.current.set(event.pointerId, [event.clientX, event.clientY]);
      },
      onPointerMove: moved,
      onPointerUp: ended,
      onPointerLeave: ended,
      onPointerCancel: ended,
    },
  };
}

function distance([x, y]: Spot, [otherX, otherY]: Spot): number {
  return Math.hypot(otherX - x, otherY - y);
}
