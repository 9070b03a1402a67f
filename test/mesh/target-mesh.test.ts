import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StatsReading } from '../../server/envoy/stats.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { TargetMesh } from '../../server/mesh/target-mesh.ts';
import { GAUGE_INDEX } from '../../server/model/flow.ts';
import type { StoredTarget } from '../../server/model/scrape-record.ts';
import { type EnvoyStats, textBody } from '../envoy/stats-body.ts';
import { countedBy, ScrapedTarget, totalsOf } from './scraped-target.ts';

const T0 = 1_800_000_000_000;
const SECOND = 1000;

/** A sidecar of service_a that has answered `requests`, all within 3 ms. */
function sidecar(requests: number, more: Record<string, number> = {}): EnvoyStats {
  return {
    scalars: {
      'cluster.service_a.membership_total': 1,
      'http.ingress.downstream_rq_2xx': requests,
      'http.ingress.downstream_rq_active': 2,
      'http.ingress.downstream_rq_completed': requests,
      'http.ingress.downstream_rq_total': requests + 2,
      ...more,
    },
    histograms: { 'http.ingress.downstream_rq_time': { 3: requests } },
  };
}

function ok(requests: number): Record<string, string> {
  return requests === 0 ? {} : { inbound: `2xx ${requests}; ${requests} samples` };
}

describe('the first scrape', () => {
  test.each([
    [
      'an Envoy from before the round before is the baseline',
      { started: T0 - 6 * SECOND, previousRound: T0 - 5 * SECOND },
      0,
      0,
    ],
    ['no round before: the baseline', { started: T0 - 2 * SECOND, previousRound: null }, 0, 0],
    [
      'an Envoy that does not tell its start is the baseline',
      { started: undefined, previousRound: T0 - 5 * SECOND },
      0,
      0,
    ],
    [
      'an Envoy that started since counts from zero',
      { started: T0 - 3 * SECOND, previousRound: T0 - 5 * SECOND },
      100,
      4 * SECOND,
    ],
    [
      'its time does not begin before the round before',
      { started: T0 - 4800, previousRound: T0 - 5 * SECOND },
      100,
      5 * SECOND,
    ],
    ['an Envoy of this instant counts from zero', { started: T0, previousRound: T0 - 5 * SECOND }, 100, SECOND],
  ])('%s', (_, { started, previousRound }, requests, length) => {
    const { observation } = new ScrapedTarget().scrape({ at: T0, stats: sidecar(100), started, previousRound });
    expect(countedBy(new ScrapedTarget().scrape({ at: T0, stats: sidecar(100), started, previousRound }))).toEqual(
      ok(requests),
    );
    expect([observation.from, observation.to]).toEqual([T0 - length, T0]);
  });

  test('the baseline has the gauges, and what comes next is counted from it', () => {
    const target = new ScrapedTarget();
    const first = target.scrape({ at: T0, stats: sidecar(100), started: T0 - 60 * SECOND });
    expect(first.observation.flows[0]?.gauges[GAUGE_INDEX.active_requests]).toBe(2);
    expect(totalsOf(first)).toEqual({ inbound: '' });
    const second = target.scrape({ at: T0 + 5 * SECOND, stats: sidecar(130), started: T0 - 60 * SECOND });
    expect(countedBy(second)).toEqual(ok(30));
    expect([second.observation.from, second.observation.to]).toEqual([T0, T0 + 5 * SECOND]);
    expect(totalsOf(second)).toEqual(ok(30));
  });

  test('a cluster that appears later counts from zero', () => {
    const target = new ScrapedTarget();
    target.scrape({ at: T0, stats: sidecar(100), started: T0 - 60 * SECOND });
    const stats = sidecar(100, { 'cluster.service_b.upstream_rq_2xx': 7, 'cluster.service_b.membership_total': 1 });
    expect(countedBy(target.scrape({ at: T0 + 5 * SECOND, stats, started: T0 - 60 * SECOND }))).toEqual({
      service_b: '2xx 7',
    });
  });
});

describe('a restart of Envoy', () => {
  test.each([
    ['is told by its start, though its counters are larger', 10, 20, 20],
    ['is told by its start, though its counters are equal', 10, 10, 10],
    ['counts the new life', 500, 3, 3],
    ['counts nothing of a life without requests', 500, 0, 0],
  ])('%s', (_, before, after, expected) => {
    const target = new ScrapedTarget();
    target.scrape({ at: T0, stats: sidecar(0), started: T0 - 60 * SECOND });
    target.scrape({ at: T0 + 10 * SECOND, stats: sidecar(before), started: T0 - 60 * SECOND });
    const findings = target.scrape({ at: T0 + 20 * SECOND, stats: sidecar(after), started: T0 + 14 * SECOND });
    expect(countedBy(findings)).toEqual(ok(expected));
    expect([findings.observation.from, findings.observation.to]).toEqual([T0 + 13 * SECOND, T0 + 20 * SECOND]);
    expect(totalsOf(findings)).toEqual(ok(before + expected));
  });

  test('two lives of the same length are two', () => {
    const target = new ScrapedTarget();
    target.scrape({ at: T0, stats: sidecar(0), started: T0 - 100 });
    target.scrape({ at: T0 + 9900, stats: sidecar(50), started: T0 - 100 });
    const findings = target.scrape({ at: T0 + 20_000, stats: sidecar(60), started: T0 + 10_000 });
    expect(countedBy(findings)).toEqual(ok(60));
  });

  test.each([1, 200, 999, 1000, 1001])('%d ms after the last scrape is told', (delay) => {
    const target = new ScrapedTarget();
    target.scrape({ at: T0, stats: sidecar(10), started: T0 - 60 * SECOND });
    const findings = target.scrape({ at: T0 + 5 * SECOND, stats: sidecar(15), started: T0 + delay });
    expect(countedBy(findings)).toEqual(ok(15));
    expect(findings.observation.from).toBeGreaterThanOrEqual(T0);
  });

  test('is told by smaller counters where Envoy refuses /server_info', () => {
    const target = new ScrapedTarget();
    target.scrape({ at: T0, stats: sidecar(100, { 'http.ingress.downstream_rq_5xx': 1 }), started: undefined });
    const stats = sidecar(40, { 'http.ingress.downstream_rq_5xx': 6 });
    const findings = target.scrape({ at: T0 + 5 * SECOND, stats, started: undefined });
    expect(countedBy(findings)).toEqual({ inbound: '2xx 40, 5xx 6; 40 samples' });
    expect(findings.startedAt).toBeNull();
  });

  test('is told once, however often /server_info is asked', () => {
    const target = new ScrapedTarget();
    target.scrape({ at: T0, stats: sidecar(100), started: T0 - 60 * SECOND });
    target.scrape({ at: T0 + 5 * SECOND, stats: sidecar(10), started: T0 + 3 * SECOND });
    for (const [seconds, requests] of [
      [6, 12],
      [10, 20],
      [3600, 90],
    ] as const) {
      const findings = target.scrape({ at: T0 + seconds * SECOND, stats: sidecar(requests), started: T0 + 3 * SECOND });
      expect(totalsOf(findings)).toEqual(ok(requests));
    }
  });

  test('start times that whole seconds make differ are one start', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 2500 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.nat(5000), steps, (age, delays) => {
        const target = new ScrapedTarget();
        target.scrape({ at: T0, stats: sidecar(5), started: T0 - age, previousRound: null });
        let at = T0;
        for (const [index, delay] of delays.entries()) {
          at += delay;
          const findings = target.scrape({ at, stats: sidecar(6 + index), started: T0 - age });
          expect(countedBy(findings)).toEqual(ok(1));
          expect(findings.observation.from).toBe(at - delay);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('another Envoy at the same address', () => {
  test.each([
    ['that has run for long is a baseline', T0 - 3600 * SECOND, 0],
    ['that started at the same moment is another', T0 - 60 * SECOND, 0],
    ['that started since counts from zero', T0 + 5 * SECOND, 900],
  ])('%s', (_, started, counted) => {
    const target = new ScrapedTarget();
    target.scrape({ at: T0, stats: sidecar(0), started: T0 - 60 * SECOND });
    target.scrape({ at: T0 + SECOND, stats: sidecar(40), started: T0 - 60 * SECOND });
    const other = target.scrape({ at: T0 + 10 * SECOND, stats: sidecar(900), started, nodeId: 'another' });
    expect([countedBy(other), totalsOf(other).inbound ?? '']).toEqual([ok(counted), ok(counted).inbound ?? '']);
    const next = target.scrape({ at: T0 + 20 * SECOND, stats: sidecar(903), started, nodeId: 'another' });
    expect([countedBy(next), totalsOf(next).inbound]).toEqual([ok(3), ok(counted + 3).inbound]);
  });
});

describe('numbers that are no counts', () => {
  const stats = (requests: number, bins = requests): EnvoyStats => ({
    scalars: { 'http.ingress.downstream_rq_2xx': requests, 'http.ingress.downstream_rq_active': 2 ** 54 },
    histograms: { 'http.ingress.downstream_rq_time': { 3: bins } },
  });

  test.each([
    ['a counter', stats(2 ** 54, 0), 'http.ingress.downstream_rq_2xx stands at 2^53 or more, which is no count'],
    ['a bin', stats(0, 2 ** 54), 'http.ingress.downstream_rq_time stands at 2^53 or more, which is no count'],
  ])('%s: the scrape fails, and the next one goes on from the one before', (_, bad, reason) => {
    const target = new ScrapedTarget();
    target.scrape({ at: T0, stats: stats(1), started: T0 - 60 * SECOND });
    const started = T0 - 60 * SECOND;
    expect(() => target.scrape({ at: T0 + SECOND, stats: bad, started })).toThrow(reason);
    expect(countedBy(target.scrape({ at: T0 + 2 * SECOND, stats: stats(5), started }))).toEqual(ok(4));
  });

  test('a gauge that fell below zero and wrapped around is zero', () => {
    const { observation } = new ScrapedTarget().scrape({ at: T0, stats: stats(1), started: T0 - 60 * SECOND });
    expect(observation.flows.map(({ gauges }) => gauges[GAUGE_INDEX.active_requests])).toEqual([0]);
  });

  test('a stat that is listed twice is not counted twice', () => {
    const body = textBody(stats(1)).toString();
    const reader = new TextStatsReader();
    const mesh = new TargetMesh({
      labels: {},
      address: 'a:1',
      host: 'a',
      rules: NO_RULES,
      seriesLimit: 9,
      stored: undefined,
    });
    const reading = reader.read(Buffer.from(body + body));
    const scraped = {
      reading,
      precision: reader.precision,
      at: T0,
      infoAt: T0,
      managers: new Set<string>(),
      previousRound: null,
    };
    expect(() => mesh.observe({ ...scraped, info: undefined })).toThrow(
      "the answer is not Envoy's /stats: http.ingress.downstream_rq_2xx is listed twice",
    );
  });
});

describe('stats that add up to more than any count', () => {
  const MOST = Number.MAX_SAFE_INTEGER - 1;
  const two = (stat: string, value: number) =>
    Object.fromEntries([80, 81].map((port) => [`cluster.outbound|${port}||a.b.svc.cluster.local.${stat}`, value]));

  test.each([
    ['upstream_rq_2xx', '2xx, outbound to a'],
    ['upstream_rq_timeout', 'timed_out, outbound to a'],
    ['upstream_rq_active', 'active_requests, outbound to a'],
  ])('%s: the target is down, and counts on when they are gone', (stat, name) => {
    const target = new ScrapedTarget();
    const started = T0 - 60 * SECOND;
    const scrape = (round: number, requests: number, value: number) =>
      target.scrape({ at: T0 + round * 5 * SECOND, stats: sidecar(requests, two(stat, value)), started });
    scrape(0, 100, 0);
    expect(() => scrape(1, 103, MOST)).toThrow(
      `${name}: the stats of one scrape add up to 2^53 or more, which is no count`,
    );
    expect(countedBy(scrape(2, 107, 0))).toEqual(ok(7));
  });

  test('samples of latency', () => {
    const target = new ScrapedTarget();
    const stats = (samples: number) => ({
      scalars: two('membership_total', 1),
      histograms: Object.fromEntries(Object.keys(two('upstream_rq_time', 1)).map((name) => [name, { 3: samples }])),
    });
    target.scrape({ at: T0, stats: stats(1), started: T0 - 60 * SECOND });
    expect(() => target.scrape({ at: T0 + SECOND, stats: stats(MOST), started: T0 - 60 * SECOND })).toThrow(
      'latency samples, outbound to a: the stats of one scrape add up to 2^53 or more',
    );
  });
});

describe('the clock of the collector', () => {
  test.each([
    ['goes back', -3_600_000],
    ['goes back by a little', -1],
    ['stands still', 0],
  ])('%s: requests are counted, over a time as long as the one before', (_, shift) => {
    const target = new ScrapedTarget();
    target.scrape({ at: T0 - 7 * SECOND, stats: sidecar(90), started: T0 - 60 * SECOND });
    target.scrape({ at: T0, stats: sidecar(100), started: T0 - 60 * SECOND });
    const at = T0 + shift;
    const findings = target.scrape({ at, stats: sidecar(103), started: at - 65 * SECOND });
    expect(countedBy(findings)).toEqual(ok(3));
    expect([findings.observation.from, findings.observation.to]).toEqual([at - 7 * SECOND, at]);
    const next = target.scrape({ at: at + 5 * SECOND, stats: sidecar(104), started: at - 65 * SECOND });
    expect(countedBy(next)).toEqual(ok(1));
    expect(next.observation.from).toBe(at);
  });
});

test('a clock that went back while the collector was down: requests are counted over the time of a round', () => {
  const target = new ScrapedTarget();
  target.scrape({ at: T0, stats: sidecar(100), started: T0 - 60 * SECOND });
  target.restartCollector();
  const at = T0 - 3600 * SECOND;
  const { observation } = target.scrape({
    at,
    stats: sidecar(103),
    started: at - 65 * SECOND,
    previousRound: at - 10 * SECOND,
  });
  expect([observation.from, observation.to]).toEqual([at - 10 * SECOND, at]);
});

describe('a restart of the collector', () => {
  const started = T0 - 60 * SECOND;

  function seenTwice(): ScrapedTarget {
    const target = new ScrapedTarget();
    target.scrape({ at: T0, stats: sidecar(100), started });
    target.scrape({ at: T0 + 5 * SECOND, stats: sidecar(130), started });
    return target;
  }

  test('loses and repeats nothing', () => {
    const target = seenTwice();
    target.restartCollector();
    const findings = target.scrape({ at: T0 + 60 * SECOND, stats: sidecar(170), started });
    expect(countedBy(findings)).toEqual(ok(40));
    expect([findings.observation.from, findings.observation.to]).toEqual([T0 + 5 * SECOND, T0 + 60 * SECOND]);
    expect(totalsOf(findings)).toEqual(ok(70));
    expect(findings.flowTotals.at(0)?.bins).toEqual({ keys: [expect.any(Number)], counts: [70] });
  });

  test('while Envoy restarts too, the new life counts from zero', () => {
    const target = seenTwice();
    target.restartCollector();
    const findings = target.scrape({ at: T0 + 60 * SECOND, stats: sidecar(170), started: T0 + 50 * SECOND });
    expect(countedBy(findings)).toEqual(ok(170));
    expect(totalsOf(findings)).toEqual(ok(200));
  });

  test('keeps the totals of flows that Envoy no longer has', () => {
    const target = new ScrapedTarget();
    target.scrape({ at: T0, stats: sidecar(1), started });
    const peer = { 'cluster.service_b.upstream_rq_2xx': 7, 'cluster.service_b.membership_total': 1 };
    target.scrape({ at: T0 + 5 * SECOND, stats: sidecar(1, peer), started });
    target.restartCollector();
    const findings = target.scrape({ at: T0 + 10 * SECOND, stats: sidecar(2), started });
    expect(totalsOf(findings)).toEqual({ inbound: '2xx 1; 1 samples', service_b: '2xx 7' });
  });

  test.each([
    ['no JSON', { shape: 'x' }],
    ['another version', { shape: '{"version":2}' }],
    ['an empty shape', { shape: '{}' }],
    ['no shape', { shape: 'null' }],
    ['values that are cut off', { values: Uint8Array.of(1, 2) }],
    ['no values', { values: new Uint8Array() }],
  ])('what it cannot read is no baseline to count from: %s', (_, damage) => {
    const target = seenTwice();
    target.restartCollector((stored) => ({ ...stored, totals: { ...stored.totals, ...damage } }));
    const findings = target.scrape({ at: T0 + 60 * SECOND, stats: sidecar(170), started });
    expect(countedBy(findings)).toEqual({});
    expect(totalsOf(findings)).toEqual({ inbound: '' });
  });

  test('values with something left over are not read', () => {
    const target = seenTwice();
    target.restartCollector((stored) => {
      const values = Uint8Array.of(...stored.totals.values, 1);
      return { ...stored, totals: { ...stored.totals, values } };
    });
    expect(countedBy(target.scrape({ at: T0 + 60 * SECOND, stats: sidecar(170), started }))).toEqual({});
  });
});

describe('identity', () => {
  test('comes from labels, then /server_info, and the role from local clusters', () => {
    const { observation } = new ScrapedTarget({ labels: { region: 'us', instance: 'edge-1' } }).scrape({
      at: T0,
      stats: sidecar(1),
      started: T0 - SECOND,
    });
    expect(observation.identity).toEqual({
      service: 'service_a',
      namespace: '',
      instance: 'edge-1',
      region: 'us',
      zone: 'eu-1',
      role: 'sidecar',
    });
  });

  test.each([
    ['a label', { role: 'gateway' }, 'gateway'],
    ['a label that is no role', { role: 'butler' }, 'sidecar'],
    ['a name', { service: 'front-proxy' }, 'gateway'],
    ['nothing', { service: 'frontend' }, 'sidecar'],
  ])('role by %s, without a local cluster', (_, labels, role) => {
    const stats = { scalars: { 'cluster.b.upstream_rq_2xx': 1, 'http.main.downstream_rq_2xx': 1 } };
    const findings = new ScrapedTarget({ labels }).scrape({ at: T0, stats, started: T0 });
    expect(findings.observation.identity.role).toBe(role);
    expect(findings.inbound).toBe(role === 'gateway');
  });

  test('an idle connection manager makes the target see its service', () => {
    const answer = { at: T0, stats: { scalars: { 'cluster.b.upstream_rq_2xx': 1 } }, started: T0 };
    expect(new ScrapedTarget().scrape(answer).inbound).toBe(false);
    expect(new ScrapedTarget().scrape({ ...answer, managers: ['admin', 'ingress'] }).inbound).toBe(true);
  });

  test('what the next process is made of counts, though it lists the same stats', () => {
    const target = new ScrapedTarget();
    const stats = { scalars: { 'cluster.b.upstream_rq_2xx': 1 } };
    expect(target.scrape({ at: T0, stats, started: T0 - 60 * SECOND }).inbound).toBe(false);
    const next = target.scrape({ at: T0 + 5 * SECOND, stats, started: T0 + SECOND, managers: ['ingress'] });
    expect([next.inbound, countedBy(next)]).toEqual([true, { b: '2xx 1' }]);
  });
});

describe('findings', () => {
  test('tell start, version, samples and the first certificate that expires', () => {
    const certificates = {
      'listener.0.0.0.0_443.ssl.certificate.a.expiration_unix_time_seconds': 2_000_000_000,
      'cluster.b.ssl.certificate.b.expiration_unix_time_seconds': 1_900_000_000,
      'cluster.c.ssl.certificate.c.expiration_unix_time_seconds': 0,
    };
    const target = new ScrapedTarget();
    const findings = target.scrape({ at: T0, stats: sidecar(1, certificates), started: T0 - 60_400 });
    expect(findings).toMatchObject({
      startedAt: T0 - 60_000,
      envoyVersion: '1.40.0',
      certificateExpiry: 1_900_000_000,
      samples: 3,
    });
    const plain = target.scrape({ at: T0 + SECOND, stats: sidecar(1), started: undefined });
    expect(plain).toMatchObject({ startedAt: T0 - 60_000, envoyVersion: '', certificateExpiry: null });
  });

  test('gauges of a cluster that is gone are 0, its counters stay', () => {
    const target = new ScrapedTarget();
    const peer = { 'cluster.b.upstream_cx_active': 5, 'cluster.b.membership_total': 3, 'cluster.b.upstream_rq_2xx': 1 };
    target.scrape({
      at: T0,
      stats: sidecar(1, { ...peer, 'cluster.b.upstream_rq_2xx': 0 }),
      started: T0 - 60 * SECOND,
    });
    const listed = target.scrape({ at: T0 + SECOND, stats: sidecar(1, peer), started: T0 - 60 * SECOND });
    const gaugesOf = (findings: typeof listed) => [
      ...([...findings.flowTotals].find(({ flow }) => flow.peer === 'b')?.gauges ?? []),
    ];
    expect(gaugesOf(listed)).toEqual([0, 5, 3, 0, 0]);
    const gone = target.scrape({ at: T0 + 2 * SECOND, stats: sidecar(1), started: T0 - 60 * SECOND });
    expect(gaugesOf(gone)).toEqual([0, 0, 0, 0, 0]);
    expect(totalsOf(gone).b).toBe('2xx 1');
  });
});

describe('series_limit', () => {
  test('a target with more is refused with a reason, and loses nothing', () => {
    const target = new ScrapedTarget({ seriesLimit: 4 });
    target.scrape({ at: T0, stats: sidecar(10), started: T0 - 60 * SECOND });
    const more = sidecar(15, { 'http.ingress.downstream_rq_4xx': 1, 'http.ingress.downstream_rq_5xx': 2 });
    expect(() => target.scrape({ at: T0 + SECOND, stats: more, started: T0 - 60 * SECOND })).toThrow(
      '5 stats to use, more than scrape.series_limit (4)',
    );
    const findings = target.scrape({ at: T0 + 2 * SECOND, stats: sidecar(17), started: T0 - 60 * SECOND });
    expect(countedBy(findings)).toEqual(ok(7));
    expect(findings.observation.from).toBe(T0);
  });

  test('peers that come and go count together', () => {
    const target = new ScrapedTarget({ seriesLimit: 12 });
    const callTo = (peer: string) =>
      target.scrape({ at: T0, stats: { scalars: { [`cluster.${peer}.upstream_rq_2xx`]: 1 } }, started: T0 - SECOND });
    for (const peer of ['a', 'b', 'c', 'a']) callTo(peer);
    expect(() => callTo('d')).toThrow(
      '4 different peers so far, more than 3, a quarter of scrape.series_limit: name them by fewer names (peers), or raise it',
    );
    expect(Object.keys(totalsOf(callTo('b')))).toEqual(['a', 'b', 'c']);
  });

  test('counts what is used, not what is listed', () => {
    const unused = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`http.admin.x${i}`, 1]));
    const findings = new ScrapedTarget({ seriesLimit: 4 }).scrape({ at: T0, stats: sidecar(1, unused), started: T0 });
    expect(findings.samples).toBe(3);
  });
});

describe('lent readings', () => {
  const answer = (reading: StatsReading, at: number) => ({
    reading,
    precision: 'bins' as const,
    at,
    info: undefined,
    infoAt: at,
    managers: new Set<string>(),
    previousRound: at - 5 * SECOND,
  });
  const newMesh = (stored?: StoredTarget) =>
    new TargetMesh({ labels: {}, address: 'a', host: 'a', rules: NO_RULES, seriesLimit: 100, stored });
  const stats = (samples: number, more: Record<string, number> = {}): EnvoyStats => ({
    scalars: { 'cluster.b.membership_total': 1, ...more },
    histograms: {
      'cluster.b.upstream_rq_time': { 3: samples },
      'cluster.b.external.upstream_rq_time': { 3: samples },
    },
  });

  test('one that was overwritten is not counted', () => {
    const reading = new TextStatsReader().lend(textBody(stats(1)));
    new TextStatsReader().lend(textBody(stats(2)));
    expect(() => newMesh().observe(answer(reading, T0))).toThrow('overwritten');
  });

  /** A cluster of this name makes the copy another cluster's own histogram. */
  const named = { 'cluster.b.external.membership_total': 1 };

  test.each<[string, boolean]>([
    ['', false],
    [', over a restart of the collector', true],
  ])('a histogram that was left unread is counted from when it is read on%s', (_, restart) => {
    const reader = new TextStatsReader();
    const mesh = newMesh();
    const { totals, observation } = mesh.observe(answer(reader.lend(textBody(stats(100))), T0));
    const { identity } = observation;
    const stored = { target: 'a', lastScrape: T0, startedAt: null, inbound: false, identity, totals };
    const next = restart ? newMesh(structuredClone(stored)) : mesh;
    const samples = (total: number, at: number) =>
      countedBy(next.observe(answer(reader.lend(textBody(stats(total, named))), at)));
    expect(samples(103, T0 + 5 * SECOND)).toEqual({ b: '; 3 samples' });
    expect(samples(104, T0 + 10 * SECOND)).toEqual({ b: '; 1 samples', 'b.external': '; 1 samples' });
  });
});
