import { describe, expect, test } from 'vitest';
import type { TopologyAnswer } from '../../../server/api/contract.ts';
import { moreBeyond, reveal, wholeOf, zoom } from '../../../web/pages/topology/camera.ts';
import { orderEdges } from '../../../web/pages/topology/edge-order.ts';
import { NODE_HEIGHT, NODE_WIDTH, type Placement, type Structure } from '../../../web/pages/topology/geometry.ts';
import {
  GROUPED_FROM,
  groupingOf,
  namespaceGraph,
  neighbourhood,
  searchNodes,
  serviceGraph,
} from '../../../web/pages/topology/graph.ts';
import { place } from '../../../web/pages/topology/layout.ts';
import { step } from '../../../web/pages/topology/walk.ts';
import { edgeLabel } from '../../../web/pages/topology/words.ts';
import { fakeTopology } from '../fake-api/fake-calls.ts';
import { meshOfMany } from '../fake-api/fake-services.ts';
import { fc, test as property } from '../state/property.ts';
import { figures } from '../summary.ts';

const HOUR = { from: 1_763_700_000_000, to: 1_763_700_300_000, window: '5m', offsetMs: 0 };

function answer(nodes: readonly string[], edges: readonly TopologyAnswer['edges'][number][]): TopologyAnswer {
  return {
    at: 0,
    windowMs: 300_000,
    window: '5m',
    offsetMs: 0,
    tiers: ['raw'],
    nodes: nodes.map((id) => ({
      id,
      service: id.replace(/.*\//, ''),
      namespace: id.includes('/') ? id.replace(/\/.*/, '') : '',
      role: 'sidecar',
      regions: [],
    })),
    edges: [...edges],
  };
}

const call = (source: string, target: string, differences: Parameters<typeof figures>[0] = {}) => ({
  source,
  target,
  ...figures(differences),
});

const SHOP = answer(
  ['edge/front', 'shop/cart', 'shop/pay', 'lonely'],
  [
    call('edge/front', 'shop/cart', { requests: 900, requestRate: 3, errorRate: 0 }),
    call('edge/front', 'shop/pay', { requests: 100, requestRate: 1, errorRate: 0.5 }),
    call('shop/cart', 'shop/pay'),
    call('shop/cart', 'gone'),
  ],
);

describe('the graph', () => {
  const graph = serviceGraph(SHOP, []);

  test('a call to what is no node is left out', () => expect(graph.edges).toHaveLength(3));

  test('calls between namespaces add up; failures weigh as many requests as they are', () => {
    const { nodes, edges } = namespaceGraph(graph);
    expect(nodes.map(({ name, services }) => [name, services])).toEqual([
      ['edge', 1],
      ['shop', 2],
      ['(none)', 1],
    ]);
    expect(edges).toHaveLength(1);
    expect(edges[0]).toMatchObject({ requestRate: 4, requests: 1000, errorRate: 0.05, health: 'bad', p95: 30 });
    expect(edges[0] && edgeLabel(edges[0])).toContain('slowest p95');
  });

  test('neighbours of one service, and no calls among them', () => {
    const near = neighbourhood(graph, 'shop/pay');
    expect(near.nodes.map(({ id }) => id)).toEqual(['edge/front', 'shop/cart', 'shop/pay']);
    expect(near.edges).toHaveLength(2);
  });

  test.each([
    [{ requests: 0, requestRate: 0, errorRate: null }, 'quiet', 'no requests'],
    [{ errorRate: null }, 'unknown', '100 /s · success unknown · p95 30.0 ms'],
    [{ errorRate: 0.002 }, 'warn', '100 /s · 0.20 % failing · p95 30.0 ms'],
    [{ errorRate: 0 }, 'good', '100 /s · p95 30.0 ms'],
    [{ requests: 2, requestRate: 1, errorRate: 0.5 }, 'warn', '1.00 /s · 50.0 % failing · p95 30.0 ms'],
  ])('%o is %s: %s', (differences, health, words) => {
    const [edge] = serviceGraph(answer(['a', 'b'], [call('a', 'b', differences)]), []).edges;
    expect(edge?.health).toBe(health);
    expect(edge && edgeLabel(edge).replaceAll('\u00a0', ' ')).toBe(words);
  });

  test('the failing calls come first, then the busy ones', () =>
    expect(orderEdges(graph.edges, null).map(({ target }) => target)).toEqual(['shop/pay', 'shop/pay', 'shop/cart']));

  test('a search looks at names and namespaces', () =>
    expect(searchNodes(graph.nodes, 'SHOP ca').map(({ id }) => id)).toEqual(['shop/cart']));

  test('many services are grouped, unless they have no namespaces or it was chosen otherwise', () => {
    const many = (prefix: (index: number) => string) =>
      answer(
        Array.from({ length: GROUPED_FROM }, (_, index) => `${prefix(index)}${index}`),
        [],
      );
    expect(
      groupingOf(
        many((index) => `n${index % 4}/`),
        null,
      ),
    ).toBe('namespace');
    expect(
      groupingOf(
        many((index) => `n${index % 4}/`),
        'service',
      ),
    ).toBe('service');
    expect(
      groupingOf(
        many(() => ''),
        null,
      ),
    ).toBe('service');
  });
});

function structureOf(amount: number): Structure {
  const { nodes, edges } = serviceGraph(fakeTopology(meshOfMany(amount), HOUR), []);
  return { nodes: nodes.map(({ id }) => id), edges };
}

function overlapping({ nodes }: Placement): string[] {
  const spots = [...nodes];
  return spots.flatMap(([id, [x, y]], index) =>
    spots
      .slice(index + 1)
      .filter(([, [otherX, otherY]]) => Math.abs(x - otherX) < NODE_WIDTH && Math.abs(y - otherY) < NODE_HEIGHT)
      .map(([other]) => `${id} and ${other}`),
  );
}

describe('the layout', () => {
  test.each([12, 60, 300])('of %i services: every one has a place, and none covers another', (amount) => {
    const structure = structureOf(amount);
    const placement = place(structure);
    expect(placement.nodes.size).toBe(amount);
    expect(placement.edges.size).toBe(structure.edges.length);
    expect(overlapping(placement)).toEqual([]);
    expect(place(structure)).toEqual(placement);
  });

  const anyName = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor', '🦆', '<b>', '');
  const anyCalls = fc.array(fc.tuple(anyName, anyName), { maxLength: 30 });
  property('circles, calls of oneself and odd names have places too', [anyCalls], (calls) => {
    const nodes = [...new Set(calls.flat())];
    const edges = calls.map(([source, target], index) => ({ id: String(index), source, target }));
    const placement = place({ nodes, edges });
    expect([...placement.nodes.keys()].toSorted()).toEqual(nodes.toSorted());
    for (const [x, y] of placement.nodes.values()) expect(Number.isFinite(x + y)).toBe(true);
  });
});

describe('walking', () => {
  const graph = serviceGraph(SHOP, []);
  const placement = place({ nodes: graph.nodes.map(({ id }) => id), edges: graph.edges });
  test.each([
    ['edge/front', 'ArrowRight', 'shop/cart'],
    ['shop/pay', 'ArrowLeft', 'shop/cart'],
    ['edge/front', 'ArrowLeft', null],
    ['lonely', 'ArrowUp', 'edge/front'],
    ['nobody', 'ArrowUp', null],
  ] as const)('from %s by %s to %s', (from, arrow, to) =>
    expect(step(from, arrow, { edges: graph.edges, placement })).toBe(to),
  );
});

describe('the camera', () => {
  const box = { width: 800, height: 400 };
  test('shows all, in the middle, and enlarges nothing', () => {
    expect(wholeOf({ width: 400, height: 200 }, box)).toEqual({ x: 200, y: 100, scale: 1 });
    expect(wholeOf({ width: 1568, height: 100 }, box).scale).toBe(0.5);
  });
  test('nothing lies under the legend, nor on a narrow screen under the buttons', () => {
    const tall = wholeOf({ width: 300, height: 3560 }, box);
    expect(tall).toMatchObject({ y: 8, scale: 0.1 });
    expect(tall.y + 3560 * tall.scale).toBeLessThanOrEqual(box.height - 28);
    expect(wholeOf({ width: 300, height: 3480 }, { width: 360, height: 400 })).toMatchObject({ y: 40, scale: 0.55 });
  });
  test.each([
    [{ x: 0, y: 0, scale: 1 }, []],
    [{ x: -1, y: 0, scale: 1 }, ['left']],
    [{ x: 0, y: 0, scale: 2.1 }, ['right']],
    [{ x: -1, y: 0, scale: 2.1 }, ['left', 'right']],
    [{ x: 400, y: -90, scale: 1 }, []],
  ])('%j of a graph of half the width: there is more at %j', (camera, sides) => {
    expect(moreBeyond(camera, { width: 400, height: 200 }, box)).toEqual(sides);
  });
  test('zooming keeps what is under the pointer', () =>
    expect(zoom({ x: 0, y: 0, scale: 1 }, 2, [100, 50])).toEqual({ x: -100, y: -50, scale: 2 }));
  test('a place out of sight is moved into it', () => {
    const camera = reveal({ x: 0, y: 0, scale: 1 }, [1000, -50], box, { width: 100, height: 40 });
    expect(camera).toEqual({ x: -250, y: 70, scale: 1 });
  });
});
