/** Requests by zone: names to flows, totals to increments, over restarts of Envoy and of the collector. */

import { expect, test } from 'vitest';
import { clusterNames, mayBeByZone } from '../../server/envoy/stat-names.ts';
import { JsonStatsReader } from '../../server/envoy/stats-json.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { PartialReadings } from '../../server/mesh/partial-reading.ts';
import type { Plan } from '../../server/mesh/plan.ts';
import { TargetMesh } from '../../server/mesh/target-mesh.ts';
import { zonesKey } from '../../server/mesh/zone-mesh.ts';
import { compileZonePlan } from '../../server/mesh/zone-plan.ts';
import { CODE_CLASSES, COUNTER_INDEX, requestCount } from '../../server/model/flow.ts';
import type { ScrapeFindings, StoredTarget } from '../../server/model/scrape-record.ts';
import { capture } from '../envoy/captures.ts';
import { histogramsOf, readingOf, scalarsOf } from '../envoy/stats-body.ts';
import { told } from './faults.ts';
import { infoOf } from './scraped-target.ts';

const planOf = (names: readonly string[], clusters: readonly string[], ownZone: string): Plan =>
  compileZonePlan({
    layout: { scalars: names, histograms: [] },
    clusters: clusterNames(clusters.map((name) => `cluster.${name}.membership_total`)),
    peerClusters: new Set(clusters.filter((name) => name !== 'local_app')),
    rules: NO_RULES,
    ownZone,
    role: 'sidecar',
  });

const CLUSTERS = ['web', 'a.zone.b', 'a', 'local_app', 'shop.default.svc.cluster.local', 'x.zone.eu-1.eu-2'];

test.each<[name: string, ownZone: string, peer: string | undefined, zone?: string]>([
  ['cluster.web.zone.eu-1.eu-2.upstream_rq_2xx', 'eu-1', 'web', 'eu-2'],
  ['cluster.web.zone.eu-1.eu-2.upstream_rq_2xx', '', 'web', 'eu-2'],
  ['cluster.web.zone.eu-1..upstream_rq_2xx', 'eu-1', 'web', ''],
  ['cluster.web.zone.eu-1..upstream_rq_2xx', '', 'web', ''],
  ['cluster.web.zone.rack.1.rack.2.upstream_rq_2xx', 'rack.1', 'web', 'rack.2'],
  ['cluster.web.zone.rack.1.rack.2.upstream_rq_2xx', '', undefined],
  ['cluster.web.zone.rack 1, left.rack 2, right.upstream_rq_2xx', 'rack 1, left', 'web', 'rack 2, right'],
  ['cluster.web.zone.a:b.a:c.upstream_rq_2xx', 'a:b', 'web', 'a:c'],
  ['cluster.web.zone.a_b.a_c.upstream_rq_2xx', 'a:b', 'web', 'a_c'],
  ['cluster.web.zone.zone.zone.upstream_rq_2xx', 'zone', 'web', 'zone'],
  ['cluster.web.zone.eu-9.eu-2.upstream_rq_2xx', 'eu-1', undefined],
  ['cluster.a.zone.b.zone.eu-1.eu-2.upstream_rq_2xx', 'eu-1', 'a.zone.b', 'eu-2'],
  ['cluster.a.zone.b.upstream_rq_2xx', 'b', undefined],
  ['cluster.a.zone.b.c.upstream_rq_2xx', 'b', undefined],
  ['cluster.a.zone.c.d.upstream_rq_2xx', 'c', 'a', 'd'],
  ['cluster.x.zone.eu-1.eu-2.upstream_rq_2xx', 'eu-1', undefined],
  ['cluster.x.zone.eu-1.eu-2.zone.eu-1.eu-3.upstream_rq_2xx', 'eu-1', 'x.zone.eu-1.eu-2', 'eu-3'],
  ['cluster.shop.default.svc.cluster.local.zone.eu-1.eu-2.upstream_rq_2xx', 'eu-1', 'shop', 'eu-2'],
  ['cluster.local_app.zone.eu-1.eu-1.upstream_rq_2xx', 'eu-1', undefined],
  ['cluster.unknown.zone.eu-1.eu-2.upstream_rq_2xx', 'eu-1', undefined],
  ['cluster.web.external.upstream_rq_2xx', 'eu-1', undefined],
  ['cluster.web.zone.upstream_rq_2xx', 'eu-1', undefined],
  ['http.web.zone.eu-1.eu-2.downstream_rq_2xx', 'eu-1', undefined],
])('%s of an Envoy in %j is of %j', (name, ownZone, peer, zone) => {
  const { flows, counters } = planOf([name], CLUSTERS, ownZone);
  expect(flows.map((flow) => [flow.direction, flow.peer, flow.peerZone])).toEqual(
    peer === undefined ? [] : [['zone', peer, zone]],
  );
  expect(counters.length).toBe(peer === undefined ? 0 : 1);
});

test.each(['1.36.4', '1.40.0'])('Envoy %s: by zone there is never more than the cluster counts', (version) => {
  const reading = new JsonStatsReader().read(capture(`${version}/2_stats_detailed_usedonly.json`));
  const { scalars } = reading.layout;
  const clusters = clusterNames(scalars);
  const peerClusters = new Set(clusters);
  const plan = compileZonePlan({
    layout: reading.layout,
    clusters,
    peerClusters,
    rules: NO_RULES,
    ownZone: 'eu-west-1a',
    role: 'sidecar',
  });
  const byCluster = new Map<string, number>();
  for (const { slot, field } of plan.counters) {
    const key = `${/^cluster\.(.+)\.zone\./.exec(scalars[slot] ?? '')?.[1]} ${CODE_CLASSES[field]}`;
    byCluster.set(key, (byCluster.get(key) ?? 0) + (reading.values[slot] ?? 0));
  }
  let whole = 0;
  for (const [key, count] of byCluster) {
    const [cluster = '', codeClass] = key.split(/ (?=\dxx$)/);
    const total = reading.values[scalars.indexOf(`cluster.${cluster}.upstream_rq_${codeClass}`)] ?? 0;
    expect([key, count]).toEqual([key, Math.min(count, total)]);
    if (count === total) whole++;
  }
  expect(whole / byCluster.size).toBeGreaterThan(0.9);
  expect(plan.histograms.length).toBeGreaterThan(30);
});

const ADDRESS = '10.0.0.5:9901';
const MINUTE = 60_000;
const START = 1_700_000_000_000;
const ORDINARY = { 'cluster.cart.membership_total': 1, 'cluster.cart.upstream_rq_2xx': 5 };

function readingAt(counts: Record<string, number>) {
  const scalars = Object.entries(counts).flatMap(([zone, count]) => [
    [`cluster.cart.zone.eu-1.${zone}.upstream_rq_2xx`, count] as const,
    [`cluster.cart.zone.eu-1.${zone}.upstream_rq_completed`, count] as const,
  ]);
  const histograms = Object.entries(counts).map(([zone, count]) => [
    `cluster.cart.zone.eu-1.${zone}.upstream_rq_time`,
    { 7: count },
  ]);
  return readingOf({
    scalars: { ...ORDINARY, ...Object.fromEntries(scalars) },
    histograms: Object.fromEntries(histograms),
  });
}

/** A target whose zones are told now and then. */
class Target {
  private stored: StoredTarget | undefined;
  private storedZones: StoredTarget | undefined;
  private mesh = this.newMesh();

  scrape(minute: number, counts: Record<string, number> | 'none' | undefined, started = START - MINUTE) {
    const at = START + minute * MINUTE;
    const scraped = {
      reading: readingAt(typeof counts === 'object' ? counts : {}),
      precision: 'bins' as const,
      at,
      info: infoOf(started, at),
      infoAt: at,
      managers: new Set<string>(),
      previousRound: at - MINUTE,
      ...(counts === undefined ? {} : { zones: counts === 'none' ? counts : ('told' as const) }),
    };
    this.stored = storedOf(ADDRESS, at, this.mesh.observe(scraped));
    const zones = this.mesh.observeZones(scraped);
    if (zones) this.storedZones = storedOf(zonesKey(ADDRESS), at, zones);
    if (!zones) return undefined;
    const { from, to, flows, identity } = zones.observation;
    expect([to, identity.zone]).toEqual([at, 'eu-1']);
    const counted = flows.map((flow) => [flow.flow.peerZone ?? '', told(flow)] as const);
    return { from: Math.round((from - START) / MINUTE), ...Object.fromEntries(counted.filter(([, text]) => text)) };
  }

  restartCollector(): void {
    this.mesh = this.newMesh();
  }

  private newMesh(): TargetMesh {
    return new TargetMesh({
      labels: {},
      address: ADDRESS,
      host: '10.0.0.5',
      rules: NO_RULES,
      seriesLimit: 1000,
      stored: structuredClone(this.stored),
      storedZones: structuredClone(this.storedZones),
    });
  }
}

function storedOf(target: string, lastScrape: number, findings: ScrapeFindings): StoredTarget {
  const { observation, totals, inbound, startedAt } = findings;
  return { target, lastScrape, startedAt, identity: observation.identity, inbound, totals };
}

test('increments cover the time since the zones were told last', () => {
  const target = new Target();
  expect(target.scrape(0, { 'eu-1': 10 })).toEqual({ from: 0 });
  expect(target.scrape(1, undefined)).toBeUndefined();
  expect(target.scrape(2, undefined)).toBeUndefined();
  expect(target.scrape(3, { 'eu-1': 14, 'us-1': 2 })).toEqual({
    from: 0,
    'eu-1': '2xx 4; 4 samples',
    'us-1': '2xx 2; 2 samples',
  });
  expect(target.scrape(7, { 'eu-1': 15, 'us-1': 2 })).toEqual({ from: 3, 'eu-1': '2xx 1; 1 samples' });
});

test('zones that come up later count from zero since the last scrape without any', () => {
  const target = new Target();
  expect(target.scrape(0, 'none')).toBeUndefined();
  expect(target.scrape(1, 'none')).toBeUndefined();
  expect(target.scrape(2, { 'us-1': 7 })).toEqual({ from: 1, 'us-1': '2xx 7; 7 samples' });
});

test('a restart of the collector loses no request', () => {
  const target = new Target();
  target.scrape(0, { 'eu-1': 10 });
  target.restartCollector();
  expect(target.scrape(5, { 'eu-1': 12 })).toEqual({ from: 0, 'eu-1': '2xx 2; 2 samples' });
});

test('where the collector before did not ask for zones, the first answer is where counting begins', () => {
  const target = new Target();
  target.scrape(0, undefined);
  target.restartCollector();
  expect(target.scrape(1, { 'eu-1': 12 })).toEqual({ from: 1 });
  expect(target.scrape(2, { 'eu-1': 13 })).toEqual({ from: 1, 'eu-1': '2xx 1; 1 samples' });
});

test('a restart of Envoy counts from zero', () => {
  const target = new Target();
  target.scrape(0, { 'eu-1': 10 });
  const restarted = START + MINUTE;
  expect(target.scrape(2, { 'eu-1': 11 }, restarted)).toEqual({ from: 1, 'eu-1': '2xx 11; 11 samples' });
  expect(target.scrape(3, {}, restarted)).toEqual({ from: 2 });
});

test.each(['1.36.4', '1.40.0'])(
  'what Envoy %s tells by zone, and nothing else, is taken out of a reading',
  (version) => {
    const whole = new JsonStatsReader().read(capture(`${version}/2_stats_detailed_usedonly.json`));
    const part = new PartialReadings(() => mayBeByZone).of(whole);
    const isByZone = ([name]: [string, unknown]) => name.includes('.zone.');
    expect(Object.entries(scalarsOf(part))).toEqual(Object.entries(scalarsOf(whole)).filter(isByZone));
    expect(Object.entries(histogramsOf(part))).toEqual(Object.entries(histogramsOf(whole)).filter(isByZone));
    expect(part.layout.scalars.length).toBeGreaterThan(100);
  },
);

test('the zones are no part of what the target sent', () => {
  const target = new Target();
  target.scrape(0, { 'eu-1': 10 });
  const mesh = new TargetMesh({
    labels: {},
    address: ADDRESS,
    host: '10.0.0.5',
    rules: NO_RULES,
    seriesLimit: 1000,
    stored: undefined,
  });
  const { observation } = mesh.observe({
    reading: readingOf({
      scalars: { ...ORDINARY, ...zoneScalars },
    }),
    precision: 'bins',
    at: START,
    info: infoOf(START - 1000, START),
    infoAt: START,
    managers: new Set(),
    previousRound: START - MINUTE,
  });
  expect(observation.flows.map(({ flow, counters }) => [flow.direction, requestCount(counters)])).toEqual([
    ['outbound', 5],
  ]);
  expect(observation.flows[0]?.counters[COUNTER_INDEX['2xx']]).toBe(5);
});

const zoneScalars = {
  'cluster.cart.zone.eu-1.eu-1.upstream_rq_2xx': 3,
  'cluster.cart.zone.eu-1.us-1.upstream_rq_2xx': 2,
};
