/**
 * Names and units of metrics by OpenTelemetry's conventions
 * (https://opentelemetry.io/docs/specs/semconv/general/naming/), chosen so that a Prometheus that is sent them by OTLP
 * gives them the names that they have at /metrics.
 */

import type { Family } from '../families.ts';

export interface OtlpName {
  readonly name: string;
  /** In UCUM; what stands in braces is only a word for what is counted. */
  readonly unit: string;
}

const MESH_NAMES: Readonly<Record<string, OtlpName>> = {
  mesh_requests_total: { name: 'mesh.requests', unit: '{request}' },
  mesh_failed_requests_total: { name: 'mesh.failed_requests', unit: '{request}' },
  mesh_request_failures_total: { name: 'mesh.request.failures', unit: '{failure}' },
  mesh_request_retries_total: { name: 'mesh.request.retries', unit: '{retry}' },
  mesh_request_duration_seconds: { name: 'mesh.request.duration', unit: 's' },
  mesh_active_requests: { name: 'mesh.active_requests', unit: '{request}' },
  mesh_active_connections: { name: 'mesh.active_connections', unit: '{connection}' },
  mesh_endpoints: { name: 'mesh.endpoints', unit: '{endpoint}' },
  mesh_sidecar_up: { name: 'mesh.sidecar.up', unit: '' },
  mesh_sidecar_uptime_seconds: { name: 'mesh.sidecar.uptime', unit: 's' },
  mesh_sidecar_info: { name: 'mesh.sidecar.info', unit: '' },
  mesh_sidecar_certificate_expiry_seconds: { name: 'mesh.sidecar.certificate_expiry', unit: 's' },
  mesh_sidecar_scrape_duration_seconds: { name: 'mesh.sidecar.scrape.duration', unit: 's' },
  mesh_sidecar_scrape_body_bytes: { name: 'mesh.sidecar.scrape.body', unit: 'By' },
  mesh_sidecar_last_scrape_timestamp_seconds: { name: 'mesh.sidecar.last_scrape.timestamp', unit: 's' },
};

const UNITS: readonly (readonly [suffix: string, unit: string])[] = [
  ['_seconds', 's'],
  ['_bytes', 'By'],
];

export function otlpName({ name, type }: Pick<Family, 'name' | 'type'>): OtlpName {
  const known = MESH_NAMES[name];
  if (known) return known;
  const counted = type === 'counter' ? name.replace(/_total$/, '') : name;
  const [suffix = '', unit = ''] = UNITS.find(([ending]) => counted.endsWith(ending)) ?? [];
  return { name: counted.slice(0, counted.length - suffix.length).replace('_', '.'), unit };
}
