/** Which part of the graph is seen: screen = graph * scale + offset. Pure; all in pixels. */

import type { Spot } from './geometry.ts';

export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  /** Came here by itself rather than by hand, and so is seen to move. */
  readonly glides?: boolean;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const SMALLEST_SCALE = 0.08;
export const LARGEST_SCALE = 3;
const PADDING = 8;
/** Below is the legend, and above, on a narrow screen, the buttons: all is seen beside them. */
const LEGEND = 28;
const BUTTONS = 40;

const NARROW_BOX = 600;
const READABLE = 0.55;

/** All of the graph, in the middle, never larger than drawn. A narrow screen starts where calls start, so that names can be read. */
export function wholeOf(graph: Size, box: Size): Camera {
  const whole = Math.min(
    (box.width - 2 * PADDING) / Math.max(1, graph.width),
    (box.height - 2 * PADDING - LEGEND) / Math.max(1, graph.height),
  );
  const isNarrow = box.width < NARROW_BOX;
  const scale = clampScale(Math.min(1, isNarrow ? Math.max(READABLE, whole) : whole));
  const middle = (length: number, room: number) => Math.max(0, (room - length * scale) / 2);
  const lowest = box.height - LEGEND - PADDING - graph.height * scale;
  const y = Math.max(isNarrow ? BUTTONS : 0, Math.min(lowest, middle(graph.height, box.height)));
  return { x: middle(graph.width, box.width), y, scale };
}

/** Sides on which there is more than is seen. */
export function moreBeyond({ x, scale }: Camera, graph: Size, box: Size): readonly ('left' | 'right')[] {
  const isCut = { left: x < 0, right: x + graph.width * scale > box.width };
  return (['left', 'right'] as const).filter((side) => isCut[side]);
}

/** Larger or smaller, with the given place of the screen staying where it is. */
export function zoom({ x, y, scale }: Camera, factor: number, [atX, atY]: Spot): Camera {
  const next = clampScale(scale * factor);
  const by = next / scale;
  return { x: atX - (atX - x) * by, y: atY - (atY - y) * by, scale: next };
}

export function pan(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x + dx, y: camera.y + dy };
}

/** Moves as little as needed for a place of the graph to be seen with some room around it. */
export function reveal(camera: Camera, [x, y]: Spot, box: Size, room: Size): Camera {
  const { scale } = camera;
  const shift = (at: number, margin: number, length: number) =>
    Math.max(0, margin - at) + Math.min(0, length - margin - at);
  const [roomX, roomY] = [
    Math.min((room.width / 2) * scale, box.width / 2),
    Math.min((room.height / 2) * scale, box.height / 2),
  ];
  return pan(camera, shift(x * scale + camera.x, roomX, box.width), shift(y * scale + camera.y, roomY, box.height));
}

/** From this scale on figures can be read as well as names. */
const LEGIBLE = 0.8;

/** A place of the graph large enough to read, with all of those around it if there is room. */
export function lookAt(camera: Camera, place: Spot, around: readonly Spot[], box: Size, room: Size): Camera {
  if (camera.scale >= LEGIBLE) return reveal(camera, place, box, room);
  const [left, right] = ends(around.map(([x]) => x));
  const [top, bottom] = ends(around.map(([, y]) => y));
  const whole = Math.min(box.width / (right - left + room.width), box.height / (bottom - top + room.height));
  const scale = Math.min(1, Math.max(LEGIBLE, whole));
  const [x, y] = whole < LEGIBLE ? place : [(left + right) / 2, (top + bottom) / 2];
  return { x: box.width / 2 - x * scale, y: box.height / 2 - y * scale, scale };
}

function ends(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

function clampScale(scale: number): number {
  return Math.min(LARGEST_SCALE, Math.max(SMALLEST_SCALE, scale));
}
