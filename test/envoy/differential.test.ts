/** Whatever an Envoy counts: every form of one moment says the same, and so does what is made of two moments. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StatsReading } from '../../server/envoy/stats.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { TargetMesh } from '../../server/mesh/target-mesh.ts';
import { sampleCount } from '../../server/model/histogram.ts';
import { FORM_NAMES, FORMS, type FormName, type Moment } from './five-forms.ts';
import { histogramsOf, scalarsOf } from './stats-body.ts';

const COUNTERS = [
  'upstream_rq_2xx',
  'upstream_rq_3xx',
  'upstream_rq_4xx',
  'upstream_rq_5xx',
  'upstream_rq_200',
  'upstream_rq_completed',
  'upstream_rq_total',
  'upstream_rq_timeout',
  'upstream_rq_per_try_timeout',
  'upstream_rq_rx_reset',
  'upstream_rq_retry',
  'upstream_rq_pending_overflow',
  'upstream_cx_total',
  'upstream_cx_http1_total',
  'upstream_cx_http2_total',
  'upstream_cx_destroy_remote_with_active_rq',
  'upstream_cx_active',
  'upstream_cx_connect_fail',
  'upstream_cx_rx_bytes_total',
  'external.upstream_rq_2xx',
  'external.upstream_rq_completed',
  'zone.eu-1.eu-2.upstream_rq_2xx',
  'zone.eu-1.eu-2.upstream_rq_completed',
  'zone.eu-1..upstream_rq_5xx',
  'canary.upstream_rq_5xx',
  'grpc.Cart.Get.failure',
  'grpc.Cart.Get.total',
  'grpc.Cart.Get.14',
  'outlier_detection.ejections_active',
  'circuit_breakers.default.cx_open',
] as const;

const MANAGER_COUNTERS = [
  'downstream_rq_2xx',
  'downstream_rq_4xx',
  'downstream_rq_5xx',
  'downstream_rq_completed',
  'downstream_rq_total',
  'downstream_rq_active',
  'downstream_rq_tx_reset',
  'downstream_rq_idle_timeout',
  'downstream_cx_rx_bytes_total',
  'no_route',
  'fault.aborts_injected',
] as const;

/** The first part of a name comes whole in Prometheus; of the others it shows letters, digits and dots. */
const firstPart = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9_-]{0,12}$/),
  fc.constantFrom(
    'outbound|80|v1|reviews',
    'inbound|8080||',
    'cluster',
    'zone',
    'upstream_rq_time',
    'a "b" \\c',
    'sérvice ✓',
    '10',
  ),
);
const laterPart = fc.oneof(
  fc
    .stringMatching(/^[a-z][a-z0-9]{0,8}$/)
    .filter((part) => !/^(?:internal|external|canary|retry|zone|grpc)$/.test(part)),
  fc.constantFrom('svc', 'cluster', 'local'),
);
const clusterName = fc
  .tuple(firstPart, fc.array(laterPart, { maxLength: 4 }))
  .map(([first, later]) => [first, ...later].join('.'));
const managerName = fc.constantFrom('ingress_http', 'egress_http', 'inbound_8080', 'admin', 'public_listener');

const count = fc.oneof(fc.nat(3), fc.nat(100_000), fc.integer({ min: 0, max: 2 ** 40 }));
const lower = fc.oneof(
  fc.nat(9),
  fc.integer({ min: 10, max: 99 }),
  fc.integer({ min: 10, max: 99 }).map((digits) => digits * 10),
  fc.integer({ min: 10, max: 35 }).map((digits) => digits * 100_000),
);
const bins = fc.dictionary(lower.map(String), fc.integer({ min: 1, max: 1_000_000 }), {
  minKeys: 1,
  maxKeys: 12,
  noNullPrototype: true,
});

function ownerOf(scope: string, name: fc.Arbitrary<string>, stats: readonly string[], histogram: string) {
  return fc.record({
    scope: fc.constant(scope),
    name,
    counts: fc.dictionary(fc.constantFrom(...stats), count, { maxKeys: 12, noNullPrototype: true }),
    times: fc.option(bins),
    histogram: fc.constant(histogram),
  });
}

const owners = fc.uniqueArray(
  fc.oneof(
    { weight: 3, arbitrary: ownerOf('cluster', clusterName, COUNTERS, 'upstream_rq_time') },
    { weight: 1, arbitrary: ownerOf('http', managerName, MANAGER_COUNTERS, 'downstream_rq_time') },
  ),
  { minLength: 1, maxLength: 8, selector: ({ scope, name }) => `${scope}.${name}` },
);

/** A moment, and one after it, in which every count has grown. */
const moments = fc
  .tuple(owners, fc.nat(5))
  .map(([all, growth]) => [momentOf(all, 1), momentOf(all, 1 + growth)] as const);

type Owner = typeof owners extends fc.Arbitrary<(infer T)[]> ? T : never;

function momentOf(all: readonly Owner[], times: number): Moment {
  const scalars: Record<string, number> = {};
  const histograms: Record<string, Record<number, number>> = {};
  for (const { scope, name, counts, times: latencies, histogram } of all) {
    if (scope === 'cluster') scalars[`cluster.${name}.membership_total`] = 1;
    scalars[`${scope}.${name}.${scope === 'cluster' ? 'upstream' : 'downstream'}_rq_completed`] = 0;
    for (const [stat, value] of Object.entries(counts)) scalars[`${scope}.${name}.${stat}`] = value * times;
    if (!latencies) continue;
    histograms[`${scope}.${name}.${histogram}`] = Object.fromEntries(
      Object.entries(latencies).map(([bin, samples]) => [bin, samples * times]),
    );
  }
  return { scalars, histograms };
}

/** Samples of every histogram. */
function samplesOf(reading: StatsReading): Record<string, number> {
  return Object.fromEntries(
    Object.entries(histogramsOf(reading)).map(([name, one]) => [
      name,
      Object.values(one).reduce((sum, samples) => sum + samples, 0),
    ]),
  );
}

/** What two successive answers in a form come to: counters, gauges and samples by flow. */
function observed(form: FormName, [first, second]: readonly [Moment, Moment], inclusive: boolean): object {
  const address = '10.0.0.5:9901';
  const mesh = new TargetMesh({
    labels: { service: 'checkout' },
    address,
    host: '10.0.0.5',
    rules: NO_RULES,
    seriesLimit: 20_000,
    stored: undefined,
  });
  const reader = FORMS[form].reader(inclusive);
  const observe = (moment: Moment, at: number) => {
    const reading = reader.read(FORMS[form].render(moment, inclusive));
    const times = { at, infoAt: at, previousRound: at - 15_000 };
    return mesh.observe({ reading, precision: reader.precision, info: undefined, managers: new Set(), ...times });
  };
  observe(first, 1_000_000);
  const { observation } = observe(second, 1_015_000);
  const flows = observation.flows.map(({ flow, counters, gauges, bins: grown }) => [
    JSON.stringify(flow),
    { counters: [...counters], gauges: [...gauges], samples: sampleCount(grown) },
  ]);
  return Object.fromEntries(flows);
}

describe.each([
  ['up to 1.37', false],
  ['from 1.38', true],
])('Envoy %s', (_, inclusive) => {
  test('all readers give equal counts and equal numbers of samples', () => {
    fc.assert(
      fc.property(moments, ([moment]) => {
        for (const form of FORM_NAMES) {
          const reading = FORMS[form].reader(inclusive).read(FORMS[form].render(moment, inclusive));
          const scalars = scalarsOf(reading);
          const expected = Object.entries(moment.scalars).filter(([name]) => form !== 'prometheus' || name in scalars);
          expect([form, scalars]).toEqual([form, Object.fromEntries(expected)]);
          expect(Object.keys(scalars).length).toBeGreaterThan(0);
          const all = Object.entries(moment.histograms ?? {});
          const samples = all.map(([name, one]) => [name, Object.values(one).reduce((sum, more) => sum + more, 0)]);
          expect([form, samplesOf(reading)]).toEqual([form, Object.fromEntries(samples)]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('all forms come to the same flows', () => {
    fc.assert(
      fc.property(moments, (pair) => {
        const expected = observed('text', pair, inclusive);
        for (const form of FORM_NAMES) expect([form, observed(form, pair, inclusive)]).toEqual([form, expected]);
      }),
      { numRuns: 300 },
    );
  });
});
