import { bucketsOf, type Moment } from './five-forms.ts';

interface Series {
  readonly metric: string;
  readonly labels: readonly string[];
}

const GAUGE = /(?:_active|membership_\w+|ejections_active|\.uptime|_seconds|_epoch)$/;

/** `/stats/prometheus`: names split into metric and labels as Envoy's own tag rules do, lines grouped by metric. */
export function prometheusText({ scalars, histograms = {} }: Moment, inclusive = true): Buffer {
  const metrics = new Map<string, string[]>();
  const add = (type: string, metric: string, lines: readonly string[]) => {
    const known = metrics.get(metric) ?? [`# TYPE ${metric} ${type}\n`];
    known.push(...lines);
    metrics.set(metric, known);
  };
  for (const [name, value] of Object.entries(scalars)) {
    const { metric, labels } = seriesOf(name);
    add(GAUGE.test(name) ? 'gauge' : 'counter', metric, [`${metric}${labelText(labels)} ${value}\n`]);
  }
  for (const [name, bins] of Object.entries(histograms)) {
    const { metric, labels } = seriesOf(name);
    const samples = Object.values(bins).reduce((sum, count) => sum + count, 0);
    const buckets = [...bucketsOf(bins, inclusive), { bound: '+Inf', count: samples }];
    add('histogram', metric, [
      ...buckets.map(({ bound, count }) => `${metric}_bucket${labelText([...labels, `le="${bound}"`])} ${count}\n`),
      `${metric}_sum${labelText(labels)} ${samples * 7.25}\n`,
      `${metric}_count${labelText(labels)} ${samples}\n`,
    ]);
  }
  return Buffer.from(
    [...metrics.keys()]
      .sort()
      .map((metric) => metrics.get(metric)?.join(''))
      .join(''),
  );
}

function labelText(labels: readonly string[]): string {
  return `{${labels.join(',')}}`;
}

/** Envoy's rules for a cluster, a connection manager, a status code or class, and a gRPC method. */
function seriesOf(name: string): Series {
  const labels: string[] = [];
  let rest = name;
  const take = (pattern: RegExp, label: string, replacement: string) => {
    const found = pattern.exec(rest);
    if (!found) return;
    labels.push(`${label}="${(found[1] ?? '').replaceAll(/["\\]/g, '\\$&')}"`);
    rest = rest.replace(pattern, replacement);
  };
  take(/_rq_(\d)xx$/, 'envoy_response_code_class', '_rq_xx');
  take(/_rq_(\d{3})$/, 'envoy_response_code', '_rq');
  if (/^cluster\..+\.grpc\./.test(rest)) {
    take(/\.grpc\.([^.]+)\./, 'envoy_grpc_bridge_service', '.grpc.');
    take(/\.grpc\.([^.]+)\./, 'envoy_grpc_bridge_method', '.grpc.');
  }
  take(/^cluster\.(.+?)\./, 'envoy_cluster_name', 'cluster.');
  take(/^http\.(.+?)\./, 'envoy_http_conn_manager_prefix', 'http.');
  take(/^listener\.([\d._]+|admin)\./, 'envoy_listener_address', 'listener.');
  return { metric: `envoy_${rest.replaceAll(/[^\w:]/g, '_')}`, labels };
}
