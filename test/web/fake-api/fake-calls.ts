/** Calls of the fake API: who calls whom, and from where to where. */

import type {
  PlaceFigures,
  RegionRoute,
  RegionsAnswer,
  TopologyAnswer,
  ZoneRoute,
} from '../../../server/api/contract.ts';
import { type FakeRange, fakeFigures } from './fake-figures.ts';
import type { FakeService } from './fake-services.ts';

function idOf({ service, namespace }: FakeService): string {
  return namespace === '' ? service : `${namespace}/${service}`;
}

function answerRange(range: FakeRange) {
  return {
    at: range.to,
    windowMs: range.to - range.from,
    window: range.window,
    offsetMs: 0,
    tiers: ['raw' as const],
  };
}

/** Each call has a share of what the called service answers. */
export function fakeTopology(mesh: readonly FakeService[], range: FakeRange): TopologyAnswer {
  const callers = (called: FakeService) => mesh.filter(({ calls }) => calls.includes(called.service));
  const byName = new Map(mesh.toReversed().map((service) => [service.service, service]));
  return {
    ...answerRange(range),
    nodes: mesh.map((each) => ({
      id: idOf(each),
      service: each.service,
      namespace: each.namespace,
      role: each.role,
      regions: [...each.regions],
    })),
    edges: mesh.flatMap((caller) =>
      caller.calls.flatMap((name) => {
        const called = byName.get(name);
        if (!called) return [];
        const part = (0.9 * caller.rate) / callers(called).reduce((sum, { rate }) => sum + rate, 0);
        const figures = fakeFigures({ ...called, vantage: 'client' }, range, { part, factor: 1.1 });
        return figures.requests === null ? [] : [{ source: idOf(caller), target: idOf(called), ...figures }];
      }),
    ),
  };
}

const HOMES = ['eu-west-1', 'us-east-1', 'ap-south-1'];

interface FakeRoute {
  readonly from: string | null;
  readonly to: string | null;
  readonly part: number;
  readonly slower: number;
  readonly failing?: number | null;
}

const ROUTES: readonly FakeRoute[] = [
  { from: 'eu-west-1', to: 'eu-west-1', part: 0.44, slower: 1 },
  { from: 'us-east-1', to: 'us-east-1', part: 0.3, slower: 1.1 },
  { from: 'eu-west-1', to: 'us-east-1', part: 0.06, slower: 6.5, failing: 0.031 },
  { from: 'us-east-1', to: 'eu-west-1', part: 0.04, slower: 6.2, failing: 0.002 },
  { from: 'ap-south-1', to: 'eu-west-1', part: 0.03, slower: 9, failing: null },
  { from: 'ap-south-1', to: 'ap-south-1', part: 0.05, slower: 1.3 },
  { from: 'eu-west-1', to: null, part: 0.06, slower: 1.2 },
  { from: null, to: null, part: 0.02, slower: 1 },
];

/** Every region asks its own most, and some the others; some do not know whom they asked. */
export function fakeRegionRoutes(mesh: readonly FakeService[], range: FakeRange): RegionsAnswer {
  const measured = mesh.filter(({ state }) => state === 'ok');
  const [first] = measured;
  if (!first) return { ...answerRange(range), regions: [], zones: [] };
  const rate = measured.reduce((sum, each) => sum + each.rate, 0);
  const figures = ({ part, slower, failing = 0 }: FakeRoute): PlaceFigures & { share: number } => {
    const all = fakeFigures({ ...first, rate, failing: failing ?? 0, timingOut: 0 }, range, { part, factor: slower });
    const unknown = failing === null ? { successRate: null, errorRate: null } : {};
    return { ...all, ...unknown, share: part };
  };
  const regions = ROUTES.map((route): RegionRoute => ({ from: route.from, to: route.to, ...figures(route) }));
  const zones = ROUTES.flatMap((route) =>
    ['a', 'b'].map(
      (zone, index): ZoneRoute => ({
        fromRegion: route.from,
        fromZone: route.from === null ? null : `${HOMES.indexOf(route.from) + 1}${zone}`,
        toRegion: route.to,
        toZone: route.to === null ? null : `${HOMES.indexOf(route.to) + 1}${route.from === route.to ? zone : 'a'}`,
        ...figures({ ...route, part: route.part * (index === 0 ? 0.6 : 0.4) }),
      }),
    ),
  );
  return {
    ...answerRange(range),
    regions,
    zones: zones.filter(({ fromZone }, index) => fromZone !== null || index % 2 === 0),
  };
}
