import { describe, expect, test } from 'vitest';
import type { StatsReading } from '../../server/envoy/stats.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { increments } from '../../server/mesh/increments.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { compilePlan, type PlanInput } from '../../server/mesh/plan.ts';
import { type FlowIncrement, GAUGES } from '../../server/model/flow.ts';
import { binBounds } from '../../server/model/histogram.ts';
import { type EnvoyStats, readingOf, textBody } from '../envoy/stats-body.ts';
import { told } from './faults.ts';

function between(
  current: StatsReading,
  previous: StatsReading | undefined,
  input: Partial<PlanInput> = {},
): FlowIncrement[] {
  const plan = compilePlan({
    layout: current.layout,
    service: 'a',
    labelledRole: '',
    namedRole: 'sidecar',
    managers: new Set(),
    rules: NO_RULES,
    ...input,
  });
  return increments(plan, current, previous);
}

/** What was counted, by peer or `inbound`. */
function counted(flows: readonly FlowIncrement[]): Record<string, string> {
  return Object.fromEntries(flows.map((flow) => [flow.flow.peer || 'inbound', told(flow)]));
}

function binsOf({ bins }: FlowIncrement): Record<number, number> {
  return Object.fromEntries(bins.keys.map((key, index) => [binBounds(key)[0], bins.counts[index] ?? 0]));
}

const HISTOGRAM = 'cluster.b.upstream_rq_time';

/** Stats of cluster b, `upstream_` left out. */
function clusterB(scalars: Record<string, number>, histogram?: Record<number, number>): EnvoyStats {
  const named = Object.fromEntries(
    Object.entries(scalars).map(([name, value]) => [`cluster.b.upstream_${name}`, value]),
  );
  return {
    scalars: { 'cluster.b.membership_total': 1, ...named },
    ...(histogram ? { histograms: { [HISTOGRAM]: histogram } } : {}),
  };
}

describe('counters', () => {
  test.each<[string, Record<string, number> | undefined, Record<string, number>, string]>([
    ['from zero without a reading before', undefined, { rq_2xx: 5 }, '2xx 5'],
    ['what they grew by', { rq_2xx: 5, rq_5xx: 1 }, { rq_2xx: 9, rq_5xx: 1 }, '2xx 4'],
    ['nothing', { rq_2xx: 5 }, { rq_2xx: 5 }, ''],
    [
      'resets and answers that are no HTTP, of which an answer cut off midway is both',
      { rq_completed: 9, cx_destroy_remote_with_active_rq: 2, cx_protocol_error: 1 },
      { rq_completed: 19, cx_destroy_remote_with_active_rq: 6, cx_protocol_error: 2 },
      'reset 4',
    ],
    [
      'answers that are no HTTP',
      { rq_completed: 9, cx_protocol_error: 1 },
      { rq_completed: 19, cx_destroy_remote_with_active_rq: 0, cx_protocol_error: 4 },
      'reset 3',
    ],
    [
      'resets and answers that are no HTTP after a restart',
      { rq_completed: 9, cx_destroy_remote_with_active_rq: 1, cx_protocol_error: 1 },
      { rq_completed: 5, cx_destroy_remote_with_active_rq: 3, cx_protocol_error: 4 },
      'reset 4',
    ],
    ['a new one from zero', { rq_2xx: 5 }, { rq_2xx: 6, rq_5xx: 3 }, '2xx 1, 5xx 3'],
    ['one that is gone not at all', { rq_2xx: 5, rq_5xx: 3 }, { rq_2xx: 6 }, '2xx 1'],
    ['a smaller one from zero, alone', { rq_2xx: 50, rq_5xx: 9 }, { rq_2xx: 60, rq_5xx: 2 }, '2xx 10, 5xx 2'],
    [
      'all from zero when the total of requests is smaller',
      { rq_total: 59, rq_2xx: 50, rq_5xx: 9 },
      { rq_total: 13, rq_2xx: 3, rq_5xx: 10 },
      '2xx 3, 5xx 10',
    ],
    [
      'all from zero when the completed ones are fewer',
      { rq_completed: 9, rq_2xx: 8, rq_5xx: 1 },
      { rq_completed: 7, rq_2xx: 4, rq_5xx: 3 },
      '2xx 4, 5xx 3',
    ],
    [
      'all from zero when the total of connections is smaller',
      { cx_total: 4, rq_2xx: 8, cx_rx_bytes_total: 5, rq_5xx: 2 },
      { cx_total: 1, rq_2xx: 9, cx_rx_bytes_total: 6, rq_5xx: 2 },
      '2xx 9, 5xx 2',
    ],
    [
      'both kinds of overflow together',
      { rq_pending_overflow: 1 },
      { rq_pending_overflow: 3, rq_active_overflow: 4 },
      'overflow 6',
    ],
    [
      'a connection that ends, of a cluster that answers requests',
      { rq_completed: 1, cx_destroy_remote_with_active_rq: 1 },
      { rq_completed: 2, cx_destroy_remote_with_active_rq: 3 },
      'reset 2',
    ],
    ['no connection that ends, of one that carries TCP', {}, { rq_total: 5, cx_destroy_remote_with_active_rq: 3 }, ''],
    [
      'numbers close to 2^53',
      { rq_2xx: 0 },
      { rq_2xx: Number.MAX_SAFE_INTEGER - 1 },
      `2xx ${Number.MAX_SAFE_INTEGER - 1}`,
    ],
  ])('count %s', (_, before, after, expected) => {
    const previous = before && readingOf(clusterB(before));
    expect(counted(between(readingOf(clusterB(after)), previous))).toEqual({ b: expected });
  });

  test('a cluster that restarted leaves the others alone', () => {
    const previous = {
      ...clusterB({ rq_total: 10, rq_2xx: 10 }).scalars,
      'cluster.c.upstream_rq_2xx': 10,
      'cluster.c.upstream_rq_total': 10,
    };
    const current = {
      ...clusterB({ rq_total: 2, rq_2xx: 2 }).scalars,
      'cluster.c.upstream_rq_2xx': 11,
      'cluster.c.upstream_rq_total': 11,
    };
    const flows = between(readingOf({ scalars: current }), readingOf({ scalars: previous }));
    expect(counted(flows)).toEqual({ b: '2xx 2', c: '2xx 1' });
  });

  test('a connection manager that restarted counts from zero too', () => {
    const scalars = (total: number, ok: number, failed: number) => ({
      'http.ingress.downstream_rq_total': total,
      'http.ingress.downstream_rq_2xx': ok,
      'http.ingress.downstream_rq_5xx': failed,
    });
    const flows = between(readingOf({ scalars: scalars(8, 3, 5) }), readingOf({ scalars: scalars(20, 19, 1) }));
    expect(counted(flows)).toEqual({ inbound: '2xx 3, 5xx 5' });
  });

  test('the order and number of lines may change from one answer to the next', () => {
    const reader = new TextStatsReader();
    const first = reader.read(textBody(clusterB({ rq_2xx: 5, rq_5xx: 2 }, { 3: 7 })));
    const second = reader.read(
      textBody({
        scalars: { 'cluster.0.upstream_rq_2xx': 4, ...clusterB({ rq_4xx: 1, rq_5xx: 3, rq_2xx: 6 }).scalars },
        histograms: { 'cluster.0.upstream_rq_time': { 1: 4 }, [HISTOGRAM]: { 3: 8, 4: 2 } },
      }),
    );
    expect(counted(between(second, first))).toEqual({ 0: '2xx 4; 4 samples', b: '2xx 1, 4xx 1, 5xx 1; 3 samples' });
  });

  test('gauges are as they stand', () => {
    const scalars = { rq_active: 3, cx_active: 2, cx_http1_total: 2 };
    const [flow] = between(readingOf(clusterB(scalars)), readingOf(clusterB({ rq_active: 9, cx_active: 9 })));
    expect(Object.fromEntries(GAUGES.map((name, index) => [name, flow?.gauges[index]]))).toEqual({
      active_requests: 3,
      active_connections: 2,
      endpoints_total: 1,
      endpoints_healthy: 0,
      endpoints_ejected: 0,
    });
  });
});

describe('histograms', () => {
  test.each<[string, Record<number, number> | undefined, Record<number, number>, Record<number, number>]>([
    ['from zero without one before', undefined, { 1: 2, 20: 3 }, { 1: 2, 20: 3 }],
    ['what each bin grew by', { 1: 2, 20: 3 }, { 1: 5, 20: 3, 400: 1 }, { 1: 3, 400: 1 }],
    ['a new first, middle and last bin', { 5: 1, 50: 1 }, { 0: 1, 5: 1, 20: 2, 50: 1, 90: 3 }, { 0: 1, 20: 2, 90: 3 }],
    ['nothing', { 1: 2 }, { 1: 2 }, {}],
    ['from zero when a bin became smaller', { 1: 2, 20: 3 }, { 1: 9, 20: 1 }, { 1: 9, 20: 1 }],
    ['from zero when the first bin is gone', { 1: 2, 20: 3 }, { 20: 9 }, { 20: 9 }],
    ['from zero when a bin in the middle is gone', { 1: 2, 20: 3, 30: 1 }, { 1: 9, 30: 5 }, { 1: 9, 30: 5 }],
    ['from zero when the last bin is gone', { 1: 2, 20: 3 }, { 1: 9 }, { 1: 9 }],
    ['nothing of one that is empty again', { 1: 2 }, {}, {}],
  ])('count %s', (_, before, after, expected) => {
    const previous = readingOf(clusterB({ rq_2xx: 5 }, before));
    const [flow] = between(readingOf(clusterB({ rq_2xx: 5 }, after)), previous);
    expect(flow && binsOf(flow)).toEqual(expected);
  });

  test('an update of the cluster restarts them while its counters go on', () => {
    const previous = readingOf(clusterB({ rq_total: 100, rq_2xx: 100 }, { 3: 90, 4: 10 }));
    const current = readingOf(clusterB({ rq_total: 107, rq_2xx: 107 }, { 3: 7 }));
    expect(counted(between(current, previous))).toEqual({ b: '2xx 7; 7 samples' });
  });

  test('/reset_counters restarts counters while they go on', () => {
    const previous = readingOf(clusterB({ rq_total: 9, rq_2xx: 9 }, { 3: 9 }));
    const current = readingOf(clusterB({ rq_total: 4, rq_2xx: 4 }, { 3: 13 }));
    expect(counted(between(current, previous))).toEqual({ b: '2xx 4; 4 samples' });
  });

  test('those of clusters that are one peer add up', () => {
    const [v1, v2, v3] = ['outbound|80|v1|b', 'outbound|80|v2|b', 'outbound|80|v3|b'];
    const stats = (bins: Record<number, number>): EnvoyStats => ({
      scalars: Object.fromEntries([v1, v2, v3].map((name) => [`cluster.${name}.upstream_rq_2xx`, 9])),
      histograms: Object.fromEntries([v1, v2, v3].map((name) => [`cluster.${name}.upstream_rq_time`, bins])),
    });
    const [flow] = between(readingOf(stats({ 1: 2, 30: 3 })), readingOf(stats({ 1: 1 })));
    expect(flow && binsOf(flow)).toEqual({ 1: 3, 30: 9 });
  });
});

describe('gRPC', () => {
  const FAILURE = 'cluster.b.grpc.shop.Cart.Add.failure';

  test.each([
    ['a failure under HTTP 200', { rq_2xx: 10 }, 3, '2xx 10, grpc_failed 3'],
    ['a failure that Envoy itself made, which is a 5xx too', { rq_2xx: 7, rq_5xx: 3 }, 3, '2xx 7, 5xx 3'],
    ['both kinds', { rq_2xx: 7, rq_5xx: 3 }, 5, '2xx 7, 5xx 3, grpc_failed 2'],
    ['5xx that are no gRPC', { rq_2xx: 7, rq_5xx: 3 }, 0, '2xx 7, 5xx 3'],
  ])('%s', (_, classes, failures, expected) => {
    const { scalars } = clusterB(classes);
    expect(counted(between(readingOf({ scalars: { ...scalars, [FAILURE]: failures } }), undefined))).toEqual({
      b: expected,
    });
  });

  test('methods add up, and calls without a method of their own', () => {
    const scalars = {
      ...clusterB({ rq_2xx: 9 }).scalars,
      [FAILURE]: 1,
      'cluster.b.grpc.shop.Cart.Del.failure': 2,
      'cluster.b.grpc.failure': 3,
    };
    expect(counted(between(readingOf({ scalars }), undefined))).toEqual({ b: '2xx 9, grpc_failed 6' });
  });

  test('5xx of a peer that also speaks HTTP take nothing from its gRPC failures', () => {
    const scalars = {
      'cluster.outbound|50051||b.upstream_rq_2xx': 10,
      'cluster.outbound|50051||b.grpc.shop.Cart.Add.failure': 10,
      'cluster.outbound|8080||b.upstream_rq_5xx': 10,
    };
    expect(counted(between(readingOf({ scalars }), undefined))).toEqual({ b: '2xx 10, 5xx 10, grpc_failed 10' });
  });

  test('an inbound connection manager counts requests, its local cluster their gRPC failures', () => {
    const scalars = {
      'http.ingress.downstream_rq_2xx': 20,
      'http.ingress.downstream_rq_5xx': 2,
      'cluster.local_app.upstream_rq_2xx': 15,
      'cluster.local_app.upstream_rq_5xx': 5,
      'cluster.local_app.grpc.failure': 6,
    };
    expect(counted(between(readingOf({ scalars }), undefined))).toEqual({ inbound: '2xx 20, 5xx 2, grpc_failed 6' });
  });
});

describe('reasons are disjoint', () => {
  const inbound = (events: Record<string, number>) => ({
    'cluster.local_app.upstream_rq_completed': 100,
    ...Object.fromEntries(
      Object.entries(events).map(([name, count]) => [
        name.startsWith('upstream') ? `cluster.local_app.${name}` : `http.ingress.${name}`,
        count,
      ]),
    ),
  });

  test.each([
    ['cut off for no other reason', { downstream_rq_tx_reset: 4 }, 'cut_off 4'],
    [
      'reset by the application midway',
      { downstream_rq_tx_reset: 4, upstream_cx_destroy_remote_with_active_rq: 4 },
      'reset 4',
    ],
    ['timed out midway', { downstream_rq_tx_reset: 4, upstream_rq_timeout: 4 }, 'timed_out 4, timeout 4'],
    ['idle midway', { downstream_rq_tx_reset: 4, downstream_rq_idle_timeout: 4 }, 'idle_timeout 4'],
    ['reset before the answer', { upstream_rq_rx_reset: 4 }, 'reset 4'],
    [
      'some of each',
      { downstream_rq_tx_reset: 9, upstream_rq_timeout: 2, upstream_rq_rx_reset: 3 },
      'timed_out 2, timeout 2, reset 3, cut_off 4',
    ],
  ])('%s', (_, events, expected) => {
    expect(
      counted(between(readingOf({ scalars: inbound(events) }), undefined, { managers: new Set(['ingress']) })),
    ).toEqual({ inbound: expected });
  });
});
