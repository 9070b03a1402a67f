import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import {
  CONNECTION_MANAGERS_PATH,
  copyEndings,
  hasInclusiveBounds,
  hidesRequests,
  PROMETHEUS_FORM,
  pathOf,
  SERVER_INFO_PATH,
  STATS_FORMS,
  takesNarrowFilter,
} from '../../server/envoy/requests.ts';
import { calledZones, clusterNames, connectionManagerNames, parseZoneStatName } from '../../server/envoy/stat-names.ts';
import { JsonStatsReader } from '../../server/envoy/stats-json.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { CLUSTER, CLUSTER_EVENTS_ONLY, CONNECTION_MANAGER, RESET_MARKS } from '../../server/mesh/stat-fields.ts';
import { capture } from './captures.ts';

/** What Envoy makes of the target's query. */
function query(path: string): URLSearchParams {
  return new URL(path, 'http://envoy').searchParams;
}

const filter = RE2JS.compile(query(STATS_FORMS[0].path).get('filter') ?? '');
const passes = (name: string) => filter.matcher(name).find();

describe('the requests', () => {
  test.each([...STATS_FORMS.map(({ path }) => path), SERVER_INFO_PATH, CONNECTION_MANAGERS_PATH])(
    '%s has only characters that a request target may hold',
    (path) => {
      // Envoy before 1.16 undoes no percent sign; all take | and ^ as they are.
      expect(path).toMatch(/^\/[A-Za-z0-9_.~!$&'()*,;=:@/?|^-]*$/);
      expect(path.length).toBeLessThan(2000);
    },
  );

  test('ask for the best first, filtered where the target takes a filter', () => {
    expect(STATS_FORMS.map(({ name, precision }) => [name, precision])).toEqual([
      ['text', 'bins'],
      ['json', 'bins'],
      ['text unfiltered', 'bins'],
      ['text buckets', 'buckets'],
      ['prometheus', 'buckets'],
      ['prometheus unfiltered', 'buckets'],
      ['metrics', 'buckets'],
      ['quantiles', 'none'],
      ['plain', 'none'],
    ]);
    const filters = STATS_FORMS.map(({ path }) => query(path).get('filter')).filter((text) => text !== null);
    const istio =
      'istio_(re(quests_total|quest_duration_mill|quest_bytes|sponse_bytes)|tcp_(sent|received|connections)_)|';
    expect(new Set(filters)).toEqual(new Set([filter.pattern(), istio + filter.pattern()]));
    expect(query(PROMETHEUS_FORM.path).get('filter')).toBe(istio + filter.pattern());
    expect(STATS_FORMS[0].reader(false)).toBeInstanceOf(TextStatsReader);
    expect(STATS_FORMS[1]?.reader(false)).toBeInstanceOf(JsonStatsReader);
    expect(STATS_FORMS[0].reader(false)).not.toBe(STATS_FORMS[0].reader(false));
  });

  test.each([
    ['1.37.2', false],
    ['1.38.0', true],
    ['1.40.0-dev', true],
    ['2.0.0', true],
    ['', false],
    ['maistra', false],
  ])('buckets of Envoy %j hold the bin of their bound: %s', (version, expected) => {
    expect(hasInclusiveBounds(version)).toBe(expected);
  });

  test.each([
    ['sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local', [], true],
    ['router~10.0.0.1~gateway-1.istio-system~istio-system.svc.cluster.local', [], true],
    ['sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local', ['inbound_0.0.0.0_80;'], false],
    ['web-sidecar-proxy', [], false],
    ['', [], false],
  ])('a node %j with the connection managers %j hides its requests: %s', (node, managers, expected) => {
    expect(hidesRequests(node, new Set(managers))).toBe(expected);
  });

  test('connection managers are asked for whether used or not', () => {
    expect(query(CONNECTION_MANAGERS_PATH).has('usedonly')).toBe(false);
    const managers = RE2JS.compile(query(CONNECTION_MANAGERS_PATH).get('filter') ?? '');
    const { scalars } = new TextStatsReader().read(capture('1.40.0/idle_stats.txt')).layout;
    const shown = scalars.filter((name) => managers.matcher(name).find());
    expect(shown).toEqual(['http.admin.downstream_rq_completed', 'http.ingress_http.downstream_rq_completed']);
    expect([...connectionManagerNames(shown)]).toEqual(['admin', 'ingress_http']);
  });
});

describe('the narrow filter', () => {
  const narrow = (endings: readonly string[]) => {
    const pattern = RE2JS.compile(
      query(pathOf(STATS_FORMS[0], { leftOut: endings, connectionLengths: false })).get('filter') ?? '',
    );
    return (name: string) => pattern.matcher(name).find();
  };
  const narrowPasses = narrow(['ernal']);
  const COPY = /^cluster\..+\.(?:internal|external)\.upstream_/;
  /** The broad filter lets these pass by chance; no figure is made of them. */
  const UNUSED = /\.downstream_pre_cx_active$|\.grpc\..+\.upstream_rq_time$/;

  test.each(['1.36.4', '1.40.0'])('leaves out the copies of Envoy %s and nothing that is used', (version) => {
    const { scalars, histograms } = new JsonStatsReader().read(
      capture(`${version}/1_stats_detailed_usedonly.json`),
    ).layout;
    const kept = [...scalars, ...histograms].filter((name) => passes(name) && !UNUSED.test(name));
    expect(kept.filter(narrowPasses)).toEqual(kept.filter((name) => !COPY.test(name)));
    expect(kept.filter(narrowPasses).length / kept.length).toBeLessThan(0.87);
  });

  test.each(['1.36.4', '1.40.0'])('leaves out what Envoy %s tells by zone, too', (version) => {
    const { scalars, histograms } = new JsonStatsReader().read(
      capture(`${version}/1_stats_detailed_usedonly.json`),
    ).layout;
    const clusters = clusterNames(scalars);
    const { zones } = calledZones(scalars, 'eu-west-1a');
    expect(zones).toEqual(new Set(['eu-west-1a', 'eu-west-1b', 'us-east-1a', ...(version === '1.36.4' ? [''] : [])]));
    const passesNow = narrow(copyEndings(clusters, zones));
    const before = [...scalars, ...histograms].filter(narrowPasses);
    const left = before.filter((name) => !passesNow(name));
    expect(left.length).toBeGreaterThan(100);
    const isOfZones = (name: string) => parseZoneStatName(name, clusters, 'eu-west-1a')?.zone;
    expect(left.filter((name) => !isOfZones(name))).toEqual([]);
    expect(before.filter(isOfZones)).toEqual(left);
  });

  test.each<[clusters: string[], zones: string[], endings: string[]]>([
    [['cart'], [], ['ernal']],
    [['a.internal'], [], []],
    [['external'], [], []],
    [['internal.svc.local', 'a', ''], [], ['ernal']],
    [['cart'], ['eu-1', 'us-1'], ['ernal', '.eu-1', '.us-1']],
    [['cart.eu-1'], ['eu-1', 'us-1'], ['ernal', '.us-1']],
    [['eu-1'], ['eu-1'], ['ernal']],
    [['xeu-1'], ['eu-1'], ['ernal', '.eu-1']],
    [['cart'], ['', 'rack 7', 'a|b', '(', 'ü'], ['ernal']],
  ])('beside clusters %j and zones %j leaves out what ends in %j', (clusters, zones, expected) => {
    expect(copyEndings(clusters, zones)).toEqual(expected);
  });

  test('leaves out a name if and only if one of the ends stands before the stat', () => {
    const character = fc.constantFrom(...'ab1-._');
    const word = fc.string({ unit: character, minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 5 }), word, (endings, owner) => {
        const name = `cluster.${owner}.upstream_rq_2xx`;
        const isLeftOut = endings.some((ending) => `cluster.${owner}`.endsWith(ending));
        expect(narrow(endings)(name)).toBe(!isLeftOut);
      }),
    );
  });

  test.each([[], ['ernal', '.eu-1']])(
    'without %j lets how long connections lasted pass where that is wanted',
    (...leftOut) => {
      const path = pathOf(STATS_FORMS[0], { leftOut, connectionLengths: true });
      const pattern = RE2JS.compile(query(path).get('filter') ?? '');
      const passesNow = (name: string) => pattern.matcher(name).find();
      expect(passesNow('cluster.a.upstream_cx_length_ms')).toBe(true);
      expect(passesNow('http.a.downstream_cx_length_ms')).toBe(false);
      expect(passesNow('cluster.a.upstream_rq_time')).toBe(true);
      expect(passesNow('cluster.a.internal.upstream_rq_2xx')).toBe(leftOut.length === 0);
    },
  );

  test.each([
    ['1.22.9', false],
    ['1.23.0', true],
    ['', false],
  ])('is taken by Envoy %j: %s', (version, expected) => {
    expect(takesNarrowFilter(version)).toBe(expected);
  });
});

describe('the filter', () => {
  const clusterStats = [CLUSTER, CLUSTER_EVENTS_ONLY].flatMap(({ counters, gauges, histogram }) => [
    ...Object.keys(counters),
    ...Object.keys(gauges),
    ...(histogram === '' ? [] : [histogram]),
  ]);
  const managerStats = [
    ...Object.keys(CONNECTION_MANAGER.counters),
    ...Object.keys(CONNECTION_MANAGER.gauges),
    CONNECTION_MANAGER.histogram,
    'downstream_rq_completed',
  ];

  test.each([...new Set(clusterStats)])('lets the stat %s of a cluster pass', (stat) => {
    for (const cluster of ['a', 'a.b.svc.cluster.local', 'outbound|80||a.b;', 'odd.upstream_rq_time'])
      expect(passes(`cluster.${cluster}.${stat}`)).toBe(true);
  });

  test.each([...new Set(managerStats)])('lets the stat %s of a connection manager pass', (stat) => {
    for (const manager of ['ingress_http', 'outbound_0.0.0.0_80;'])
      expect(passes(`http.${manager}.${stat}`)).toBe(true);
  });

  test.each([
    ...[...RESET_MARKS].map((stat) => (stat.startsWith('upstream') ? `cluster.a.${stat}` : `http.a.${stat}`)),
    'cluster.a.grpc.shop.v1.Cart.Add.failure',
    'cluster.a.ssl.certificate.server.expiration_unix_time_seconds',
    'listener.0.0.0.0_443.ssl.certificate.server.expiration_unix_time_seconds',
  ])('lets %s pass', (name) => {
    expect(passes(name)).toBe(true);
  });

  test.each([
    'cluster.a.upstream_rq_200',
    'cluster.a.upstream_rq_503',
    'cluster.a.upstream_rq_pending_total_x',
    'cluster.a.upstream_cx_length_ms',
    'cluster.a.upstream_cx_connect_ms',
    'cluster.a.upstream_cx_rx_bytes_buffered',
    'cluster.a.upstream_rq_timeout_budget_percent_used',
    'cluster.a.circuit_breakers.default.rq_open',
    'cluster.a.lb_zone_cluster_too_small',
    'cluster.a.membership_change',
    'cluster.a.http2.rx_reset',
    'cluster.a.grpc.shop.v1.Cart.Add.request_message_count',
    'cluster.a.version',
    'cluster.a.upstream_rq_time.version',
    'http.a.downstream_cx_length_ms',
    'http.a.downstream_rq_http1_total_x',
    'http.a.tracing.random_sampling',
    'listener_manager.listener_added',
    'server.memory_allocated',
    'runtime.load_success',
  ])('keeps %s away', (name) => {
    expect(passes(name)).toBe(false);
  });

  test.each(['1.36.4', '1.40.0'])('leaves half of the used stats of Envoy %s away', (version) => {
    const { scalars, histograms } = new JsonStatsReader().read(
      capture(`${version}/1_stats_detailed_usedonly.json`),
    ).layout;
    expect(scalars.filter(passes).length / scalars.length).toBeLessThan(0.5);
    const kept = histograms.filter(passes).map((name) => name.slice(name.lastIndexOf('.') + 1));
    expect([...new Set(kept)].sort()).toEqual(['downstream_rq_time', 'upstream_rq_time']);
  });
});
