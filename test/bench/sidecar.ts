/** A sidecar with ten busy clusters, as an Envoy 1.40 tells it through the recommended request, at successive moments. */

import { lognormal, type Random, seededRandom } from '../../examples/meshes/random.ts';
import { binBounds, binOf } from '../../server/model/histogram.ts';
import type { Moment } from '../envoy/five-forms.ts';

const CLUSTERS = [
  'local_app',
  'service_a',
  'service_b',
  'tls_loop',
  'grpc_backend',
  'default/checkout/http',
  'orders.shop.svc.cluster.local',
  'backend.default.svc.cluster.local',
  'outbound|8080|v1|reviews.default.svc.cluster.local',
  'web.default.dc1.internal.11111111-2222-3333-4444-555555555555.consul',
];
const ZONES = ['eu-west-1a.eu-west-1a', 'eu-west-1a.eu-west-1b'];
const CLASSES: readonly [codeClass: string, share: number][] = [
  ['2xx', 0.9],
  ['3xx', 0.93],
  ['4xx', 0.98],
  ['5xx', 1],
];
const CERTIFICATE = 'listener.127.0.0.1_20010.ssl.certificate.unnamed_cert_e3b0c442.expiration_unix_time_seconds';
const FIRST_REQUESTS = 900;
const REQUESTS_BETWEEN = 150;

/** `count` moments, 15 s apart: 10 requests per second to each cluster. */
export function sidecarMoments(count: number, seed = 1): Moment[] {
  const sidecar = new BusySidecar(seededRandom(seed));
  sidecar.serve(FIRST_REQUESTS);
  return Array.from({ length: count }, () => {
    sidecar.serve(REQUESTS_BETWEEN);
    return sidecar.moment();
  });
}

/** One whose counters go on with every request that it serves. */
export class BusySidecar {
  private readonly random: Random;
  private readonly clusters: readonly string[];
  private readonly scalars: Record<string, number> = {};
  private readonly histograms: Record<string, Record<number, number>> = {};
  private intervals: Record<string, Record<number, number>> = {};

  constructor(random: Random, clusters: readonly string[] = CLUSTERS) {
    this.random = random;
    this.clusters = clusters;
    for (const cluster of clusters) this.addCluster(`cluster.${cluster}`);
    for (const manager of ['ingress_http', 'egress_http', 'ingress_https', 'admin']) this.addManager(manager);
    for (const listener of ['127.0.0.1_20010', '127.0.0.1_20011', 'admin'])
      for (const stat of ['downstream_cx_active', 'downstream_cx_total']) this.set(`listener.${listener}.${stat}`, 5);
    this.set(CERTIFICATE, 1_803_023_981);
    this.set('server.hot_restart_epoch', 0);
    this.set('server.uptime', 0);
  }

  /** So many requests to each cluster. */
  serve(requests: number): void {
    this.intervals = {};
    for (const cluster of this.clusters) for (let i = 0; i < requests; i++) this.serveOne(`cluster.${cluster}`);
    for (const cluster of this.clusters) this.addEvents(`cluster.${cluster}`);
    this.add('server.uptime', 15);
  }

  moment(): Moment {
    return structuredClone({ scalars: this.scalars, histograms: this.histograms, intervals: this.intervals });
  }

  private addCluster(cluster: string): void {
    for (const zone of ZONES) for (const stat of STATS_OF_COPY) this.set(`${cluster}.zone.${zone}.${stat}`, 0);
    for (const stat of STATS_OF_COPY) this.set(`${cluster}.external.${stat}`, 0);
    for (const stat of STATS_OF_CLUSTER) this.set(`${cluster}.${stat}`, 0);
    this.set(`${cluster}.membership_healthy`, 3);
    this.set(`${cluster}.membership_total`, 3);
  }

  private addManager(manager: string): void {
    for (const stat of STATS_OF_MANAGER) this.set(`http.${manager}.${stat}`, 0);
    for (const stat of STATS_OF_LISTENER) this.set(`listener.127.0.0.1_20010.http.${manager}.${stat}`, 0);
  }

  private serveOne(cluster: string): void {
    const drawn = this.random();
    const codeClass = CLASSES.find(([, share]) => drawn < share)?.[0] ?? '5xx';
    const latency = lognormal(this.random, { medianMs: 16, spread: 0.62 });
    const zone = ZONES[this.random() < 0.6 ? 0 : 1];
    for (const copy of [cluster, `${cluster}.external`, `${cluster}.zone.${zone}`])
      this.request(`${copy}.upstream_rq`, codeClass, latency);
    this.add(`${cluster}.upstream_rq_total`, 1);
    this.add(`${cluster}.upstream_cx_rx_bytes_total`, 900);
    this.add(`${cluster}.upstream_cx_tx_bytes_total`, 400);
    const inbound = cluster === 'cluster.local_app';
    this.request(`http.${inbound ? 'ingress_http' : 'egress_http'}.downstream_rq`, codeClass, latency + 1);
    if (inbound) {
      this.request('http.ingress_https.downstream_rq', codeClass, latency + 1);
      for (const virtual of ['vhost.catalog.vcluster.other', 'vhost.catalog.vcluster.items'])
        this.record(`${virtual}.upstream_rq_time`, latency);
    }
  }

  private request(stat: string, codeClass: string, latencyMs: number): void {
    this.add(`${stat}_${codeClass}`, 1);
    this.add(`${stat}_completed`, 1);
    this.record(`${stat}_time`, latencyMs);
  }

  private addEvents(cluster: string): void {
    for (const stat of EVENTS_OF_CLUSTER) if (this.random() < 0.3) this.add(`${cluster}.${stat}`, 1);
  }

  private record(histogram: string, latencyMs: number): void {
    const [lower] = binBounds(binOf(Math.floor(latencyMs)));
    for (const histograms of [this.histograms, this.intervals]) {
      const bins = histograms[histogram] ?? {};
      histograms[histogram] = bins;
      bins[lower] = (bins[lower] ?? 0) + 1;
    }
  }

  private set(stat: string, value: number): void {
    this.scalars[stat] = value;
  }

  private add(stat: string, more: number): void {
    this.scalars[stat] = (this.scalars[stat] ?? 0) + more;
  }
}

const STATS_OF_COPY = ['2xx', '3xx', '4xx', '5xx', 'completed'].map((end) => `upstream_rq_${end}`);

const EVENTS_OF_CLUSTER = [
  'upstream_rq_retry',
  'upstream_rq_retry_success',
  'upstream_rq_timeout',
  'upstream_rq_rx_reset',
  'upstream_cx_connect_fail',
];

const STATS_OF_CLUSTER = [
  ...STATS_OF_COPY,
  ...EVENTS_OF_CLUSTER,
  'upstream_cx_active',
  'upstream_cx_rx_bytes_total',
  'upstream_cx_total',
  'upstream_cx_tx_bytes_total',
  'upstream_rq_active',
  'upstream_rq_pending_active',
  'upstream_rq_total',
];

const STATS_OF_MANAGER = [
  'downstream_cx_active',
  'downstream_cx_rx_bytes_total',
  'downstream_cx_total',
  'downstream_cx_tx_bytes_total',
  'downstream_rq_2xx',
  'downstream_rq_3xx',
  'downstream_rq_4xx',
  'downstream_rq_5xx',
  'downstream_rq_active',
  'downstream_rq_completed',
  'downstream_rq_total',
];

const STATS_OF_LISTENER = ['2xx', '3xx', '4xx', '5xx', 'completed'].map((end) => `downstream_rq_${end}`);
