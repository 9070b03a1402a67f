/** Answers of real Envoys, one after the other, against what was really sent. */

import { describe, expect, test } from 'vitest';
import { parseServerInfo } from '../../server/envoy/server-info.ts';
import { JsonStatsReader } from '../../server/envoy/stats-json.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { TargetMesh } from '../../server/mesh/target-mesh.ts';
import type { ScrapeFindings } from '../../server/model/scrape-record.ts';
import { capture, captureJson, sentByCluster, type Truth } from '../envoy/captures.ts';
import type { EnvoyStats } from '../envoy/stats-body.ts';
import { ADDRESS, countedBy, ScrapedTarget, totalsOf } from './scraped-target.ts';

const T0 = 1_800_000_000_000;

/** Scrapes captured JSON bodies, five seconds apart. */
function scraping(service: string): (stats: string, info: string) => ScrapeFindings {
  const reader = new JsonStatsReader();
  const labels = { service };
  const mesh = new TargetMesh({
    labels,
    address: ADDRESS,
    host: 'h',
    rules: NO_RULES,
    seriesLimit: 20_000,
    stored: undefined,
  });
  let at = T0;
  return (stats, info) => {
    const reading = reader.read(capture(stats));
    at += 20_000;
    return mesh.observe({
      reading,
      precision: reader.precision,
      at,
      info: parseServerInfo(capture(info)),
      infoAt: at,
      managers: new Set(),
      previousRound: null,
    });
  };
}

describe.each(['1.36.4', '1.40.0'])('two captures of Envoy %s', (version) => {
  const scrape = scraping('rich');
  const first = scrape(`${version}/1_stats_detailed_usedonly.json`, `${version}/server_info.json`);
  const second = scrape(`${version}/2_stats_detailed_usedonly.json`, `${version}/server_info.json`);
  const sent = sentByCluster(captureJson<Truth>(`${version}/truth.json`).phase_2);

  function expected(...clusters: string[]): string {
    const sum: Record<string, number> = {};
    for (const cluster of clusters)
      for (const [codeClass, count] of Object.entries(sent.get(cluster) ?? {}))
        sum[codeClass] = (sum[codeClass] ?? 0) + count;
    const classes = Object.entries(sum).sort(([a], [b]) => a.localeCompare(b));
    const total = classes.reduce((requests, [, count]) => requests + count, 0);
    return `${classes.map(([codeClass, count]) => `${codeClass} ${count}`).join(', ')}; ${total} samples`;
  }

  test('the first one is the baseline', () => {
    expect(countedBy(first)).toEqual({});
    expect(first.envoyVersion).toBe(version);
    expect(first.observation.identity).toMatchObject({ service: 'rich', instance: 'rich-1', region: 'eu-west-1' });
  });

  test.each([
    ['service_a', ['service_a']],
    ['alias', ['outbound|80||alias.default.svc.cluster.local;']],
    ['web', ['web.default.dc1.internal.11111111-2222-3333-4444-555555555555.consul']],
    ['backend', ['backend.default.svc.cluster.local']],
    ['reviews', ['outbound|8080|v1|reviews.default.svc.cluster.local']],
    ['default/checkout/http', ['default/checkout/http']],
    ['dns_localhost', ['dns_localhost']],
    ['odd.upstream_rq_time', ['odd.upstream_rq_time']],
    ['quo"te\\back{x="1"}', ['quo"te\\back{x="1"}']],
    ['sérvice ünï 服务 ✓', ['sérvice ünï 服务 ✓']],
    ['tls_loop', ['tls_loop']],
    ['tracked', ['tracked']],
    ['zonal', ['zonal']],
  ])('what went to %s in between', (peer, clusters) => {
    expect(countedBy(second)[peer]).toBe(expected(...clusters));
  });

  test('what came in between: the ingress listeners, without health checks but with their samples', () => {
    const { inbound } = countedBy(second);
    const ingress = captureJson<Truth>(`${version}/truth.json`).phase_2.ingress;
    const requests = ingress.filter(({ cluster }) => cluster !== null).reduce((sum, one) => sum + one.sent, 0);
    const looped = sent.get('tls_loop') ?? {};
    const healthChecks = 5;
    expect(inbound).toMatch(`2xx ${requests + (looped['2xx'] ?? 0)}, 4xx ${looped['4xx']}, 5xx ${looped['5xx']}`);
    expect(inbound).toMatch(`; ${requests + 25 + healthChecks} samples`);
  });
});

test('a captured restart counts each life for itself', () => {
  const scrape = scraping('front');
  const step = (name: string) =>
    scrape(`1.40.0/${name}_stats_detailed_usedonly.json`, `1.40.0/${name}_server_info.json`);
  expect(countedBy(step('restart_1_before'))).toEqual({});
  expect(countedBy(step('restart_2_after'))).toEqual({
    inbound: '2xx 23, 5xx 2; 25 samples',
    service_a: '2xx 23, 5xx 2; 25 samples',
  });
});

test('a captured hot restart repeats at most one flush interval of the parent', () => {
  const { scrapes, client_responses_total } = captureJson<{
    scrapes: Record<string, number | string | null>[];
    client_responses_total: Record<string, number>;
  }>('1.40.0/hot_restart.json');
  const target = new ScrapedTarget({ labels: { service: 'service_a' } });
  const findings = scrapes.map((scrape) => {
    const scalars: Record<string, number> = {};
    for (const [name, value] of Object.entries(scrape))
      if (/^(?:http|cluster|server)\.\S+$/.test(name) && typeof value === 'number') scalars[name] = value;
    const samples = Number(scrape['http.ingress_http.downstream_rq_time samples'] ?? 0);
    const histograms = samples > 0 ? { 'http.ingress_http.downstream_rq_time': { 30: samples } } : {};
    const at = T0 + Number(scrape.t_s) * 1000;
    const started = at - Number.parseInt(String(scrape.uptime_current_epoch), 10) * 1000;
    return target.scrape({ at, stats: { scalars, histograms }, started, previousRound: T0 - 1000 });
  });
  const [last] = findings.slice(-1);
  const sent = client_responses_total['200'] ?? 0;
  const repeated = 180;
  expect(last && totalsOf(last)).toEqual({ inbound: `2xx ${sent + repeated}; ${728 + 2052} samples` });
  for (const { observation } of findings) expect(observation.to).toBeGreaterThan(observation.from);
});

test('a cluster that is removed, added again and changed is counted in every life', () => {
  interface Step {
    readonly step: string;
    readonly 'c1 completed': number | null;
    readonly 'c2 completed': number | null;
    readonly 'c2 hist': number | null;
  }
  const target = new ScrapedTarget();
  target.scrape({ at: T0, stats: { scalars: { 'server.uptime': 0 } }, started: T0 - 60_000 });
  const { steps } = captureJson<{ steps: Step[] }>('1.40.0/cds_eds_removal.json');
  const counted = steps.map((step, index) => {
    const scalars: Record<string, number> = { 'server.uptime': index };
    for (const [cluster, requests] of [
      ['c1', step['c1 completed']],
      ['c2', step['c2 completed']],
    ] as const)
      if (requests !== null) Object.assign(scalars, requestsOf(cluster, requests));
    const samples = step['c2 hist'];
    const stats: EnvoyStats =
      samples === null ? { scalars } : { scalars, histograms: { 'cluster.c2.upstream_rq_time': { 1: samples } } };
    const { c2 = '' } = countedBy(target.scrape({ at: T0 + index * 1000 + 1000, stats, started: T0 - 60_000 }));
    return c2 === '' ? [] : [`${step.step}: ${c2}`];
  });
  expect(counted.flat()).toEqual([
    '10 requests to each: 2xx 10; 10 samples',
    '4 requests to c2 after re-adding: 2xx 4; 4 samples',
    '7 requests: 2xx 7; 7 samples',
  ]);
});

function requestsOf(cluster: string, requests: number): Record<string, number> {
  return { [`cluster.${cluster}.upstream_rq_2xx`]: requests, [`cluster.${cluster}.upstream_rq_completed`]: requests };
}
