/** The questions that pages and outside checks ask, timed as the API answers them. */

import type { Asking } from '../../server/api/asking.ts';
import { heatmap } from '../../server/api/heatmap.ts';
import { parseParams, timeRange } from '../../server/api/params.ts';
import { QUERY_PARAMS, querySignal } from '../../server/api/query.ts';
import { describeRegions } from '../../server/api/regions.ts';
import { describeService, listServices } from '../../server/api/services.ts';
import { SharedSums } from '../../server/api/shared-sums.ts';
import { piecesOf } from '../../server/api/slices.ts';
import { describeTopology } from '../../server/api/topology.ts';
import { Live } from '../../server/live/live.ts';
import { ServiceDirectory } from '../../server/live/services.ts';
import { ZoneRegions } from '../../server/live/zones.ts';
import { FlowTotals } from '../../server/model/flow-totals.ts';
import type { Store } from '../../server/store/store.ts';
import { discovered } from '../live/live-targets.ts';
import { type Fleet, serviceName } from './store-fleet.ts';
import { INTERVAL_MS } from './store-history.ts';

type Sources = Parameters<Parameters<Asking['run']>[2]>[0];

export interface Question {
  readonly name: string;
  /** Milliseconds; none where the time is only to be known. */
  readonly goal: { readonly p50?: number; readonly p99?: number };
  readonly ask: (sources: Sources, clock: { now: number; slotMs: number }) => Promise<unknown>;
}

const SERVICE = serviceName(3);
const params = (search: string) => parseParams(search, [...QUERY_PARAMS]);

function servicePage(window: string, goal: Question['goal']): Question {
  const queries = ['latency_p50', 'latency_p95', 'latency_p99', 'request_rate&by=code_class'];
  return {
    name: `service page, ${window}`,
    goal,
    ask: (sources, clock) =>
      Promise.all([
        describeService(
          sources,
          { service: SERVICE, namespace: 'prod' },
          timeRange(params(`window=${window}`), clock),
          {},
        ),
        ...queries.map((one) =>
          querySignal(sources, params(`signal=${one}&service=${SERVICE}&window=${window}`), clock),
        ),
      ]),
  };
}

function fleetTable(window: string): Question {
  return {
    name: `fleet table, ${window}`,
    goal: { p99: 100 },
    ask: (sources, clock) => listServices(sources, timeRange(params(`window=${window}`), clock), {}),
  };
}

function query(name: string, goal: Question['goal'], search: string): Question {
  return { name, goal, ask: (sources, clock) => querySignal(sources, params(search), clock) };
}

export const QUESTIONS: readonly Question[] = [
  servicePage('1h', { p99: 50 }),
  servicePage('24h', { p99: 50 }),
  fleetTable('5m'),
  fleetTable('1h'),
  fleetTable('24h'),
  query('rate of every service, 1h at 15s', { p50: 15, p99: 40 }, 'signal=request_rate&by=service&window=1h&step=15s'),
  query('p99 of every service, now', { p50: 10, p99: 30 }, 'signal=latency_p99&by=service&window=1m&step=1m'),
  query('p99 of every service, 1h at 15s', { p50: 50, p99: 100 }, 'signal=latency_p99&by=service&window=1h&step=15s'),
  {
    name: 'heatmap of a service, 1h',
    goal: { p50: 3, p99: 8 },
    ask: (sources, clock) => heatmap(sources, params(`service=${SERVICE}&window=1h`), clock),
  },
  {
    name: 'edges, 5m',
    goal: { p50: 15, p99: 40 },
    ask: (sources, clock) => describeTopology(sources, { range: timeRange(params('window=5m'), clock), filters: {} }),
  },
  query(
    'a service that is not there, 1h: what asking takes',
    {},
    'signal=request_rate&service=none&window=1h&step=15s',
  ),
  query('rate by region, 1h', {}, 'signal=request_rate&by=region&window=1h'),
  query('p99 by region, 1h', {}, 'signal=latency_p99&by=region&window=1h'),
  {
    name: 'from region to region, 5m',
    goal: {},
    ask: (sources, clock) =>
      describeRegions(
        { ...sources, zones: new ZoneRegions([]) },
        { range: timeRange(params('window=5m'), clock), filters: {}, direction: 'inbound' },
      ),
  },
];

/** Of a file that reaches back so far. */
export const MONTH_QUESTIONS: readonly Question[] = [servicePage('30d', { p99: 150 })];

/** Asks as the API would; the answer is rendered, and thrown away. */
export class Asker {
  private readonly live = new Live();

  constructor(fleet: Fleet) {
    this.live.setTargets(
      fleet.sidecars.map(({ target }) => discovered(target)),
      fleet.sidecars.map(({ target, identity }) => ({ target, identity, inbound: true, flows: new FlowTotals() })),
    );
  }

  /** Milliseconds that the answer took; nothing is known from questions before. */
  async time(store: Store, question: Question, now: number): Promise<number> {
    const began = performance.now();
    const directory = new ServiceDirectory(this.live.all());
    const shared = new SharedSums(store, () => '');
    const sources: Sources = { store: shared, directory, alerts: new Map(), tiers: () => [] };
    const answer = await question.ask(sources, { now, slotMs: INTERVAL_MS });
    for (const _ of piecesOf(answer, 0));
    return performance.now() - began;
  }
}

/** The value that a share of the numbers is not above. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
