/** Parameters of the API, as the OpenAPI description tells them. */

import { QUERY_SIGNAL_NAMES } from '../model/signals.ts';
import { EDGE_FIELDS, SERVICE_FIELDS } from './fields.ts';
import type { Schema } from './openapi-parts.ts';
import { DIRECTIONS, MAX_TOP, QUERY_LABELS } from './query.ts';
import { HEALTHS } from './targets.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly description: string;
  readonly required?: boolean;
  readonly schema: Schema;
  readonly example?: unknown;
  readonly style?: 'form';
  readonly explode?: boolean;
}

export const DURATION = String.raw`^(0|(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?)$`;
const TIME = String.raw`^(\d{1,16}|\d{4}-\d\d-\d\dT.+)$`;

export const WINDOW: readonly Parameter[] = [
  {
    name: 'window',
    in: 'query',
    description:
      'How far to look back from now, from 1s to 400d, in whole steps of storage (about the scrape interval), the last of which holds now. Not together with from and to.',
    schema: { type: 'string', pattern: DURATION, default: '5m' },
    example: '15m',
  },
  {
    name: 'from',
    in: 'query',
    description: 'Begin of the window: Unix milliseconds or RFC 3339; the step of storage that holds it counts whole.',
    schema: { type: 'string', pattern: TIME },
    example: '2026-11-21T10:00:00Z',
  },
  {
    name: 'to',
    in: 'query',
    description:
      'End of the window, in whole steps of storage as from; may lie in the future. Needs from; default: now.',
    schema: { type: 'string', pattern: TIME },
    example: '2026-11-21T10:15:00Z',
  },
];

export const OFFSET: Parameter = {
  name: 'offset',
  in: 'query',
  description:
    'Figures of the same window so much earlier, in whole minutes, for comparing. Times are told as those of the window itself, so that both lie on one axis.',
  schema: { type: 'string', pattern: DURATION },
  example: '1w',
};

function filter(name: string, description: string, example: string): Parameter {
  const schema = { type: 'array', items: { type: 'string' }, maxItems: 100 };
  return { name, in: 'query', description, schema, style: 'form', explode: true, example: [example] };
}

export const NAME_FILTERS: readonly Parameter[] = [
  filter('service', 'Only these services. Repeatable.', 'checkout'),
  filter('namespace', 'Only these namespaces. Repeatable.', 'default'),
];
const UNKNOWN_AT_CLIENT = 'Not known of a service that only its callers measured: it then matches nothing.';
export const PLACE_FILTERS: readonly Parameter[] = [
  filter('region', `Only these regions. Repeatable. ${UNKNOWN_AT_CLIENT}`, 'eu-west-1'),
  filter('zone', `Only these zones. Repeatable. ${UNKNOWN_AT_CLIENT}`, 'eu-west-1a'),
  filter('instance', `Only these instances. Repeatable. ${UNKNOWN_AT_CLIENT}`, 'checkout-7d9f-x2x7k'),
];
export const FILTERS: readonly Parameter[] = [...NAME_FILTERS, ...PLACE_FILTERS];

function fields(description: string, known: readonly string[]): Parameter {
  return {
    name: 'fields',
    in: 'query',
    description: `${description} A field within latencyMs or precision is asked for as latencyMs.p99. Default: all.`,
    schema: { type: 'array', items: { type: 'string', enum: known }, default: [] },
    style: 'form',
    explode: false,
    example: ['requestRate', 'errorRate', 'latencyMs.p99', 'state'],
  };
}

export const OF_SERVICES: Parameter = fields(
  'Only these fields of each service, for shorter answers; its name and namespace are always there.',
  SERVICE_FIELDS,
);
export const OF_EDGES: Parameter = fields(
  'Only these fields of each edge, for shorter answers; its source and target are always there.',
  EDGE_FIELDS,
);

export const SERVICE: readonly Parameter[] = [
  {
    name: 'service',
    in: 'path',
    required: true,
    description: 'Name of a service, percent-encoded.',
    schema: { type: 'string', minLength: 1 },
    example: 'checkout',
  },
  {
    name: 'namespace',
    in: 'query',
    description: 'Its namespace, where services of several namespaces share the name.',
    schema: { type: 'string' },
    example: 'default',
  },
];

export const STEP: Parameter = {
  name: 'step',
  in: 'query',
  description: 'Length of a step, at least 1s; default: a round one that gives about 120 points.',
  schema: { type: 'string', pattern: DURATION },
  example: '15s',
};

export const DIRECTION: Parameter = {
  name: 'direction',
  in: 'query',
  description:
    'inbound: what services received, from their vantage. outbound: what they sent. Default: inbound, or both with by=direction.',
  schema: { type: 'string', enum: DIRECTIONS },
  example: 'outbound',
};

export const QUERY: readonly Parameter[] = [
  {
    name: 'signal',
    in: 'query',
    required: true,
    description:
      'What to give: requests, retries and failures are counts in the step, rates are per second. connection_duration_… is how long bare connections (TCP) lasted that ended in the step, in milliseconds; it takes no top.',
    schema: { type: 'string', enum: QUERY_SIGNAL_NAMES },
    example: 'request_rate',
  },
  {
    name: 'by',
    in: 'query',
    description:
      'Labels to tell series apart by, separated by commas, or repeated. code_class only with requests and request_rate; peer only has a value with direction=outbound.',
    schema: { type: 'array', items: { type: 'string', enum: QUERY_LABELS }, default: [] },
    style: 'form',
    explode: false,
    example: ['service', 'region'],
  },
  STEP,
  {
    name: 'top',
    in: 'query',
    description: `Only so many groups, those with the most requests; all others are added up in "other". With a latency, by takes one label.`,
    schema: { type: 'integer', minimum: 1, maximum: MAX_TOP },
    example: 20,
  },
  DIRECTION,
];

export const ROUTE_DIRECTION: Parameter = {
  name: 'direction',
  in: 'query',
  description: 'Whose filters these are. inbound: of the called service. outbound: of the calling one.',
  schema: { type: 'string', enum: DIRECTIONS, default: 'inbound' },
  example: 'outbound',
};

export const TARGETS: readonly Parameter[] = [
  {
    name: 'health',
    in: 'query',
    description: 'Only targets of this health. Repeatable, or separated by commas.',
    schema: { type: 'array', items: { type: 'string', enum: HEALTHS }, default: [] },
    style: 'form',
    explode: false,
    example: ['down'],
  },
  {
    name: 'limit',
    in: 'query',
    description: 'Most targets to list; default: all.',
    schema: { type: 'integer', minimum: 1, maximum: 1_000_000 },
    example: 100,
  },
  {
    name: 'offset',
    in: 'query',
    description: 'Targets to pass over before the first one listed.',
    schema: { type: 'integer', minimum: 0, maximum: 1_000_000, default: 0 },
    example: 100,
  },
];
