/** Which fields a list is asked for: of its services, or of its calls. */

import { ALL_PERCENTILES, PERCENTILES } from '../measure/cells.ts';
import type {
  FigureField,
  Figures,
  ServiceField,
  ServicePart,
  ServiceSummary,
  TopologyEdgeField,
  TopologyEdgePart,
} from './contract.ts';
import { listOf, type RawParams } from './params.ts';

const LATENCY = ['p50', 'p90', 'p95', 'p99', 'p999', 'mean'] as const;
const PRECISION = ['method', 'source', 'maxRelativeError', 'capped'] as const;

const FIGURE_FIELDS: readonly FigureField[] = [
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
];

/** What `fields` of the services takes: a field of a service, or one of a field that has fields of its own. */
export const SERVICE_FIELDS: readonly ServiceField[] = [
  'service',
  'namespace',
  'vantage',
  'role',
  'regions',
  'instances',
  'failureSource',
  ...FIGURE_FIELDS,
  'alerts',
];

/** What `fields` of the topology takes. */
export const EDGE_FIELDS: readonly TopologyEdgeField[] = ['source', 'target', ...FIGURE_FIELDS];

/** Null where all are wanted. @throws RequestError for a field that is not among `known` */
export function fieldsOf<Field extends string>(params: RawParams, known: readonly Field[]): readonly Field[] | null {
  const fields = listOf(params, 'fields', known);
  return fields.length === 0 ? null : fields;
}

/** Gives the wanted fields of a service, its name and namespace always among them. */
export function servicePart(fields: readonly ServiceField[]): (service: ServiceSummary) => ServicePart {
  const part = partOf(fields, SERVICE_FIELDS.filter(isWhole));
  return (service) => ({ service: service.service, namespace: service.namespace, ...part(service) });
}

/** Gives the wanted fields of a call, both its ends always among them. */
export function edgePart(
  fields: readonly TopologyEdgeField[],
): (ends: Pick<TopologyEdgePart, 'source' | 'target'>, figures: Figures) => TopologyEdgePart {
  const part = partOf(fields, FIGURE_FIELDS.filter(isWhole));
  return ({ source, target }, figures) => ({ source, target, ...part(figures) });
}

/** Quantiles that have to be known for the fields to be told: how exact percentiles are is told of all of them together. */
export function quantilesFor(fields: readonly (FigureField | ServiceField | TopologyEdgeField)[]): readonly number[] {
  const needAll = ['latencyMs', 'precision', 'precision.method', 'precision.maxRelativeError'] as const;
  if (needAll.some((field) => fields.includes(field))) return ALL_PERCENTILES;
  // A percentile that is no lower bound has none below it: the highest one tells `capped`.
  const wanted = (name: keyof typeof PERCENTILES) => name === 'p999' || fields.includes(`latencyMs.${name}`);
  return LATENCY.flatMap((name) => (name !== 'mean' && wanted(name) ? [PERCENTILES[name]] : []));
}

function isWhole<Field extends string>(field: Field): field is Exclude<Field, `${string}.${string}`> {
  return !field.includes('.');
}

function partOf<Name extends string>(fields: readonly string[], whole: readonly Name[]) {
  const wanted = new Set(fields);
  const names = whole.filter((name) => wanted.has(name));
  const latency = LATENCY.filter((name) => wanted.has(`latencyMs.${name}`));
  const precision = PRECISION.filter((name) => wanted.has(`precision.${name}`));
  return <Whole extends Figures & Readonly<Record<Name, unknown>>>(all: Whole) => ({
    ...(latency.length > 0 ? { latencyMs: picked(all.latencyMs, latency) } : {}),
    ...(precision.length > 0 ? { precision: picked(all.precision, precision) } : {}),
    ...picked<Whole, Name>(all, names),
  });
}

function picked<Whole extends object, Name extends keyof Whole>(whole: Whole, names: readonly Name[]): Partial<Whole> {
  const part: Partial<Whole> = {};
  for (const name of names) part[name] = whole[name];
  return part;
}
