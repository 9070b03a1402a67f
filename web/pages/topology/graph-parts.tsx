import { healthDrawing } from '../../components/health-shape.tsx';
import { rate, text } from '../../format/number.ts';
import { NODE_HEIGHT, NODE_WIDTH, type Spot } from './geometry.ts';
import type { GraphEdge, GraphNode } from './graph.ts';
import { edgeLabel } from './words.ts';

export const HEALTH_WORDS = {
  good: 'good',
  warn: 'degraded',
  bad: 'failing',
  quiet: 'no traffic',
  unknown: 'no data',
} as const;

const NARROWEST = 1;
const WIDEST = 7;

/** Width of a line by its rate, against the busiest one: a tenth of the traffic is a third of the width. */
export function widthOf(requestRate: number | null, busiest: number): number {
  if (requestRate === null || busiest <= 0) return NARROWEST;
  return NARROWEST + (WIDEST - NARROWEST) * Math.sqrt(Math.max(0, requestRate) / busiest);
}

interface EdgeLineProps {
  readonly edge: GraphEdge;
  readonly points: readonly Spot[];
  readonly width: number;
  readonly kind: string;
}

/** A call, wider with its rate, dashed where it fails. A wide unseen line makes it easy to point at. */
export function EdgeLine({ edge, points, width, kind }: EdgeLineProps) {
  const path = curve(points);
  return (
    <g class={`edge ${edge.health} ${kind}`} data-edge={edge.id}>
      <path class="edge-reach" d={path} />
      <path class="edge-line" d={path} stroke-width={width} />
      <path class="edge-arrow" d={arrow(points, width)} />
    </g>
  );
}

/** Through the middles of the bends, so that lines swing instead of breaking. */
export function curve(points: readonly Spot[]): string {
  const [first, ...rest] = points;
  const last = rest.at(-1);
  if (!first || !last) return '';
  const bends = rest.slice(0, -1).map(([x, y], index) => {
    const [nextX, nextY] = rest[index + 1] ?? last;
    return `Q${round(x)} ${round(y)} ${round((x + nextX) / 2)} ${round((y + nextY) / 2)}`;
  });
  return `M${round(first[0])} ${round(first[1])}${bends.join('')}L${round(last[0])} ${round(last[1])}`;
}

function arrow(points: readonly Spot[], width: number): string {
  const tip = points.at(-1);
  const before = points.at(-2);
  if (!tip || !before) return '';
  const angle = Math.atan2(tip[1] - before[1], tip[0] - before[0]);
  const [length, half] = [7 + width, 3.5 + width / 2];
  const corner = (side: 1 | -1) => {
    const x = tip[0] - length * Math.cos(angle) + side * half * Math.sin(angle);
    const y = tip[1] - length * Math.sin(angle) - side * half * Math.cos(angle);
    return `${round(x)} ${round(y)}`;
  };
  return `M${round(tip[0])} ${round(tip[1])}L${corner(1)}L${corner(-1)}Z`;
}

function round(value: number): string {
  return value.toFixed(1);
}

const LETTER_PX = 6.1;

const LABEL_BESIDE_PX = 16;

/** What a call does: above its line, or below one that goes down, so that the line stays in sight. */
export function EdgeLabel({
  edge,
  points,
  at,
}: Pick<EdgeLineProps, 'edge' | 'points'> & { readonly at: Spot | undefined }) {
  const middle = at ?? middleOf(points);
  if (!middle) return null;
  const goesDown = (points.at(-1)?.[1] ?? 0) > (points[0]?.[1] ?? 0) + 1;
  const y = middle[1] + (goesDown ? LABEL_BESIDE_PX : -LABEL_BESIDE_PX);
  const words = edgeLabel(edge);
  const width = words.length * LETTER_PX + 14;
  return (
    <g class={`edge-label ${edge.health}`} transform={`translate(${round(middle[0])} ${round(y)})`}>
      <rect x={-width / 2} y={-10} width={width} height={20} rx="3" />
      <text text-anchor="middle" y="4">
        {words}
      </text>
    </g>
  );
}

function middleOf(points: readonly Spot[]): Spot | null {
  const at = (points.length - 1) / 2;
  const [a, b] = [points[Math.floor(at)], points[Math.ceil(at)]];
  return a && b ? [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] : null;
}

interface NodeBoxProps {
  readonly node: GraphNode;
  readonly at: Spot;
  readonly kind: string;
  readonly reachable: boolean;
  readonly selected: boolean;
  readonly words: string;
}

const NAME_LETTERS = 17;

/** A service or namespace. */
export function NodeBox({ node, at, kind, reachable, selected, words }: NodeBoxProps) {
  const [x, y] = [at[0] - NODE_WIDTH / 2, at[1] - NODE_HEIGHT / 2];
  const below = node.services > 1 ? `${node.services} services` : node.namespace;
  const drawn = [
    shortened(node.name, NAME_LETTERS),
    shortened(below, 12),
    node.requestRate === null ? '—' : text(rate(node.requestRate)),
  ] as const;
  return (
    // biome-ignore lint/a11y/useSemanticElements: inside a drawing a link of HTML can not stand
    <g
      class={`node ${kind}${selected ? ' selected' : ''}${node.gateway ? ' gateway' : ''}`}
      data-node={node.id}
      transform={`translate(${round(x)} ${round(y)})`}
      role="link"
      tabindex={reachable ? 0 : -1}
      aria-label={`${drawn.join(' ')}. ${words}`}
      aria-current={selected ? 'true' : undefined}
    >
      <g>
        <rect class="node-box" width={NODE_WIDTH} height={NODE_HEIGHT} rx="4" />
        <g class={`shape ${node.health}`} transform="translate(9 6)">
          {healthDrawing(node.health)}
        </g>
        <text class="node-name" x="26" y="17">
          {drawn[0]}
        </text>{' '}
        <text class="node-namespace" x="26" y="32">
          {drawn[1]}
        </text>{' '}
        <text class="node-rate" x={NODE_WIDTH - 9} y="32" text-anchor="end">
          {drawn[2]}
        </text>
      </g>
    </g>
  );
}

/** Both ends tell names apart. */
export function shortened(name: string, most: number): string {
  const letters = [...name];
  if (letters.length <= most) return name;
  const tail = Math.floor(most / 3);
  return `${letters.slice(0, most - tail - 1).join('')}…${letters.slice(-tail).join('')}`;
}
