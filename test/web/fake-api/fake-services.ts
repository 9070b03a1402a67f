/** The made-up mesh of the fake API: one service for every state that the dashboard tells apart. */

import type { FigureState, Role, Vantage } from '../../../server/api/contract.ts';

export interface FakeService {
  readonly service: string;
  readonly namespace: string;
  readonly rate: number;
  /** Share of requests that answer 4xx, and 5xx. */
  readonly refused: number;
  readonly failing: number;
  /** Latency is log-normal: the median in milliseconds, and its spread. */
  readonly medianMs: number;
  readonly spread: number;
  /** Share of requests that time out without a latency sample. */
  readonly timingOut: number;
  readonly vantage: Vantage;
  readonly role: Role;
  readonly regions: readonly string[];
  readonly instances: { readonly up: number; readonly total: number };
  readonly state: FigureState;
  /** Names of services that it calls. */
  readonly calls: readonly string[];
  /** Share of the window, from 0 to 1, in which nothing was measured. */
  readonly gap: readonly [number, number] | null;
  /** Whether its last instance answers more slowly than the others. */
  readonly slowInstance: boolean;
}

const USUAL: FakeService = {
  service: '',
  namespace: 'shop',
  rate: 100,
  refused: 0.01,
  failing: 0,
  medianMs: 12,
  spread: 0.8,
  timingOut: 0,
  vantage: 'server',
  role: 'sidecar',
  regions: ['eu-west-1'],
  instances: { up: 3, total: 3 },
  state: 'ok',
  calls: [],
  gap: null,
  slowInstance: false,
};

const BOTH = ['eu-west-1', 'us-east-1'];

function service(name: string, differences: Partial<FakeService>): FakeService {
  return { ...USUAL, service: name, ...differences };
}

/** Names that somebody made up to break a page. */
export const CRAFTED_NAMES: readonly string[] = [
  '<img src=x onerror="window.crafted=1">',
  '<script>window.crafted=1</script>',
  '"><b data-crafted>bold</b>',
  "javascript:window.crafted=1//'",
  'n'.repeat(200),
  '\u202Egnorw eht yaw',
  'سلة التسوق',
  '🦄🛒👩‍👩‍👧‍👦',
  '__proto__',
  'constructor',
  'a/b?c#d&e=f%20g',
  '../../etc/passwd',
  '{{7*7}}<%=7*7%>',
  'null',
];

/** Each calls the next. */
export const CRAFTED_MESH: readonly FakeService[] = CRAFTED_NAMES.map((name, index) =>
  service(name, {
    namespace: index % 3 === 0 ? '<i>ns</i>' : 'shop',
    rate: 10 + index,
    calls: CRAFTED_NAMES.slice(index + 1, index + 2),
  }),
);

/** One of every kind. */
export const FAKE_MESH: readonly FakeService[] = [
  service('checkout', {
    rate: 1204,
    failing: 0.029,
    medianMs: 14,
    regions: BOTH,
    instances: { up: 9, total: 10 },
    calls: ['payments', 'cart', 'email'],
    slowInstance: true,
  }),
  service('frontend', {
    namespace: 'edge',
    rate: 8420,
    failing: 0.0003,
    medianMs: 31,
    role: 'gateway',
    regions: BOTH,
    instances: { up: 6, total: 6 },
    calls: ['cart', 'catalog', 'search', 'checkout'],
  }),
  service('cart', {
    rate: 2310,
    failing: 0,
    medianMs: 4.2,
    regions: BOTH,
    instances: { up: 12, total: 12 },
    calls: ['inventory'],
  }),
  service('catalog', {
    rate: 3105,
    failing: 0.000004,
    medianMs: 9,
    regions: [...BOTH, 'ap-south-1', 'sa-east-1'],
    instances: { up: 8, total: 8 },
    gap: [0.45, 0.6],
  }),
  service('payments', {
    rate: 212,
    failing: 0.0131,
    medianMs: 160,
    spread: 0.6,
    timingOut: 0.012,
    instances: { up: 4, total: 4 },
  }),
  service('search', { rate: 640, medianMs: 48, vantage: 'client', regions: [], instances: { up: 0, total: 0 } }),
  service('recommendations', { rate: 18, failing: 0.72, medianMs: 220, instances: { up: 2, total: 2 } }),
  service('inventory', { rate: 410, failing: 0.0021, medianMs: 22 }),
  service('inventory', {
    namespace: 'warehouse',
    rate: 3.4,
    medianMs: 120,
    regions: ['us-east-1'],
    instances: { up: 1, total: 1 },
  }),
  service('image-resize', {
    namespace: 'media',
    rate: 5.2,
    medianMs: 900,
    spread: 0.9,
    instances: { up: 2, total: 2 },
  }),
  service('auth', {
    namespace: '',
    rate: 15_300,
    medianMs: 0.7,
    spread: 0.4,
    regions: BOTH,
    instances: { up: 20, total: 20 },
  }),
  service('email', { namespace: '', rate: 0, state: 'no_traffic', instances: { up: 1, total: 1 } }),
  service('reports', {
    namespace: '',
    rate: 7 / 300,
    refused: 0,
    state: 'too_little_data',
    medianMs: 40,
    instances: { up: 1, total: 1 },
  }),
  service('legacy-batch', { namespace: '', rate: 0, state: 'no_data', instances: { up: 0, total: 2 } }),
  service('feature-flags', { namespace: '', rate: 0, state: 'no_data', instances: { up: 1, total: 1 } }),
  service('a-service-whose-name-somebody-made-very-long-indeed-v2', {
    namespace: 'experiments',
    rate: 0.42,
    medianMs: 65,
    instances: { up: 1, total: 1 },
  }),
];

/** As many services as asked for, all in good order. */
export function manyServices(amount: number): FakeService[] {
  return Array.from({ length: amount }, (_, index) =>
    service(`service-${String(index).padStart(4, '0')}`, {
      rate: 1 + ((index * 37) % 900),
      medianMs: 2 + ((index * 13) % 90),
      failing: index % 97 === 0 ? 0.02 : 0,
    }),
  );
}

const NAMESPACES = ['edge', 'shop', 'payments', 'media', 'search', 'accounts', 'logistics', 'platform'];

/** How many of a hundred services stand in each layer, from the gateways down. */
const LAYERS = [2, 10, 24, 30, 22, 12];

/** A mesh in layers: each service calls three of the layers below it, the next one most. */
export function meshOfMany(amount: number): FakeService[] {
  const name = (index: number) => `service-${String(index).padStart(3, '0')}`;
  const ends = LAYERS.map((_, layer) =>
    Math.round((amount * LAYERS.slice(0, layer + 1).reduce((sum, size) => sum + size, 0)) / 100),
  );
  const callsOf = (index: number): string[] => {
    const layer = ends.findIndex((end) => index < end);
    const [start = amount, end = amount] = [ends[layer], ends[layer + 1]];
    if (start >= end) return [];
    const further = end < amount ? [end + ((index * 7) % (amount - end))] : [];
    return [start + ((index * 5) % (end - start)), start + ((index * 11 + 3) % (end - start)), ...further].map(name);
  };
  return manyServices(amount).map((service, index) => ({
    ...service,
    service: name(index),
    namespace: NAMESPACES[index % NAMESPACES.length] ?? '',
    role: index < (ends[0] ?? 0) ? 'gateway' : 'sidecar',
    calls: [...new Set(callsOf(index))],
  }));
}
