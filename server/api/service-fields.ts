/** Which fields of its services a list is asked for. */

import type { ServiceField, ServicePart, ServiceSummary } from './contract.ts';
import { listOf, type RawParams } from './params.ts';

const LATENCY = ['p50', 'p90', 'p95', 'p99', 'p999', 'mean'] as const;
const PRECISION = ['method', 'source', 'maxRelativeError', 'capped'] as const;

/** What `fields` takes: a field of a service, or one of a field that has fields of its own. */
export const SERVICE_FIELDS: readonly ServiceField[] = [
  'service',
  'namespace',
  'vantage',
  'role',
  'regions',
  'instances',
  'failureSource',
  'requests',
  'requestRate',
  'successRate',
  'errorRate',
  'codeClasses',
  'latencyMs',
  ...LATENCY.map((name) => `latencyMs.${name}` as const),
  'latencySamples',
  'precision',
  ...PRECISION.map((name) => `precision.${name}` as const),
  'timeouts',
  'retries',
  'activeRequests',
  'state',
  'alerts',
];

/** Null where all are wanted. @throws RequestError for a field that there is not */
export function fieldsOf(params: RawParams): readonly ServiceField[] | null {
  const fields = listOf(params, 'fields', SERVICE_FIELDS);
  return fields.length === 0 ? null : fields;
}

/** Gives the wanted fields of a service, its name and namespace always among them. */
export function partOf(fields: readonly ServiceField[]): (service: ServiceSummary) => ServicePart {
  const wanted = new Set(fields);
  const names = SERVICE_FIELDS.filter(isWhole).filter((name) => wanted.has(name));
  const latency = LATENCY.filter((name) => wanted.has(`latencyMs.${name}`));
  const precision = PRECISION.filter((name) => wanted.has(`precision.${name}`));
  return (service) => ({
    service: service.service,
    namespace: service.namespace,
    ...(latency.length > 0 ? { latencyMs: picked(service.latencyMs, latency) } : {}),
    ...(precision.length > 0 ? { precision: picked(service.precision, precision) } : {}),
    ...picked(service, names),
  });
}

function isWhole(field: ServiceField): field is keyof ServiceSummary {
  return !field.includes('.');
}

function picked<Whole extends object, Name extends keyof Whole>(whole: Whole, names: readonly Name[]): Partial<Whole> {
  const part: Partial<Whole> = {};
  for (const name of names) part[name] = whole[name];
  return part;
}
