/** OpenAPI description of all that app.ts serves for programs. */

import { MAX_ROWS } from './heatmap.ts';
import {
  DIRECTION,
  DURATION,
  FILTERS,
  NAME_FILTERS,
  OF_EDGES,
  OF_SERVICES,
  OFFSET,
  type Parameter,
  PLACE_FILTERS,
  QUERY,
  ROUTE_DIRECTION,
  SERVICE,
  STEP,
  TARGETS,
  WINDOW,
} from './openapi-parameters.ts';
import { ref, type Schema } from './openapi-parts.ts';
import { SCHEMAS } from './openapi-schemas.ts';
import { MOST_ALERTS } from './rules-test.ts';

interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, Answer>>;
}

const failed = (description: string): Answer => ({
  description,
  content: { 'application/json': { schema: ref('ErrorBody') } },
});
const BAD_REQUEST = failed('A parameter is unknown or has a wrong value; the message says what would be right.');
const INTERNAL = failed('The answer could not be worked out; the log says why.');

/** Answers of what asks the store. */
function figures(schema: string, description: string, orSchema?: string): Operation['responses'] {
  return {
    ...json(schema, description, orSchema),
    503: failed('Too many queries at once, or one took too long: ask again after Retry-After seconds.'),
  };
}

function json(schema: string, description: string, orSchema?: string): Operation['responses'] {
  const answer = orSchema === undefined ? ref(schema) : { anyOf: [ref(schema), ref(orSchema)] };
  return {
    200: { description, content: { 'application/json': { schema: answer } } },
    400: BAD_REQUEST,
    500: INTERNAL,
  };
}

const plain = (description: string, type = 'text/plain'): Answer => ({
  description,
  content: { [type]: { schema: { type: 'string' } } },
});

/** The only operation that is no GET. */
const RELOAD: Operation = {
  operationId: 'reload',
  summary: 'Reads the configuration file again',
  description: 'What is as it was goes on undisturbed. A file that is bad changes nothing.',
  responses: {
    200: plain('The configuration counts from now on.'),
    400: failed('What is wrong, with file, line and key; one line each.'),
    403: failed('A page of another site asked.'),
  },
};

/** By address; every operation is a GET, and HEAD gives the same without a body. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  '/api/v1/services': {
    operationId: 'listServices',
    summary: 'The golden signals of every service',
    description: 'Every service that has a target, or that others can call.',
    parameters: [OF_SERVICES, ...WINDOW, OFFSET, ...FILTERS],
    responses: figures(
      'ServicesAnswer',
      'Services by name; where fields is given, with those fields.',
      'ServicePartsAnswer',
    ),
  },
  '/api/v1/services/{service}': {
    operationId: 'describeService',
    summary: 'One service, its instances and regions, whom it calls and who calls it',
    description: 'Filters are those of its own instances. Peers without a request in the window are not listed.',
    parameters: [...SERVICE, ...WINDOW, OFFSET, ...PLACE_FILTERS],
    responses: {
      ...figures('ServiceAnswer', 'The service.'),
      404: failed('No such service is known, and none was called in the window.'),
    },
  },
  '/api/v1/query': {
    operationId: 'query',
    summary: 'A signal over time',
    description:
      'Steps are half-open and aligned to multiples of the step in Unix time; the first one holds from. With direction=outbound, filters are those of the caller.',
    parameters: [...QUERY, ...WINDOW, OFFSET, ...FILTERS],
    responses: figures('QueryAnswer', 'One series per combination of the labels asked for.'),
  },
  '/api/v1/heatmap': {
    operationId: 'heatmap',
    summary: 'How the latencies of services were spread over time',
    description: `Samples by step and by rows of whole bins, at most ${MAX_ROWS} rows; every count is exact. Steps are those of /api/v1/query.`,
    parameters: [STEP, DIRECTION, ...WINDOW, OFFSET, ...FILTERS],
    responses: figures('HeatmapAnswer', 'Counts of latency samples.'),
  },
  '/api/v1/topology': {
    operationId: 'describeTopology',
    summary: 'Who called whom, as the callers measured it',
    description: 'Filters by name keep the calls to and from such services; those by place are those of the caller.',
    parameters: [OF_EDGES, ...WINDOW, ...FILTERS],
    responses: figures(
      'TopologyAnswer',
      'Services as nodes, calls in the window as edges; where fields is given, with those fields.',
      'TopologyPartsAnswer',
    ),
  },
  '/api/v1/regions': {
    operationId: 'describeRegions',
    summary: 'From which region and zone to which requests went',
    description:
      'As the callers measured it. Where a caller does not tell zones, it is not known where its requests went: to is then null.',
    parameters: [...WINDOW, ...NAME_FILTERS, ROUTE_DIRECTION],
    responses: json('RegionsAnswer', 'Routes, those with the most requests first.'),
  },
  '/api/v1/targets': {
    operationId: 'listTargets',
    summary: 'Every target and how its last scrape went',
    parameters: [...TARGETS, ...FILTERS],
    responses: json('TargetsAnswer', 'Targets by service and instance.'),
  },
  '/api/v1/http_sd': {
    operationId: 'listForPrometheus',
    summary: 'Every target in the form of Prometheus’s http_sd',
    description: 'Those at unix sockets are left out, since Prometheus can not reach them.',
    parameters: FILTERS,
    responses: json('HttpSdAnswer', 'Groups of targets with equal labels.'),
  },
  '/api/v1/alerts': {
    operationId: 'listAlerts',
    summary: 'Alerts that fire, are pending, or ended within the last hour',
    responses: json('AlertsAnswer', 'Firing ones first, then pending ones, then those that ended; the newest first.'),
  },
  '/api/v1/alerts/history': {
    operationId: 'listAlertEvents',
    summary: 'When alerts fired, kept for a year, and each time one became pending, fired or ended, kept for 30 days',
    description:
      '`firings` tells each time that an alert fired and that reaches into the range, also one that fired before or fires still: what to mark on a chart. `events` tells changes within the range.',
    parameters: [...WINDOW, ...NAME_FILTERS],
    responses: { ...json('AlertHistoryAnswer', 'The newest first, at most 1000 of each.'), 400: BAD_REQUEST },
  },
  '/api/v1/rules': {
    operationId: 'listRules',
    summary: 'Alert rules, how many of their alerts are in which state, and what is left of error budgets',
    responses: json('RulesAnswer', 'Rules in the order of the configuration, then the built-in ones.'),
  },
  '/api/v1/rules/test': {
    operationId: 'testRules',
    summary: 'Alert rules tried on the past: when they would have fired, and which threshold would have fired less',
    description:
      'One such request is worked on at a time, for at most a minute. Rules of targets rather than figures can not be tried.',
    parameters: [
      {
        name: 'rule',
        in: 'query',
        description: 'Name of a rule, repeatable; without it all are tried.',
        schema: { type: 'array', items: { type: 'string' } },
        style: 'form',
        explode: true,
        example: ['ServiceFailing'],
      },
      {
        name: 'window',
        in: 'query',
        description: 'How far to go back from now, from 1m to 400d.',
        schema: { type: 'string', pattern: DURATION, default: '7d' },
        example: '1d',
      },
      {
        name: 'max_alerts',
        in: 'query',
        description: 'A threshold with at most so many alerts of each rule is looked for.',
        schema: { type: 'integer', minimum: 0, maximum: MOST_ALERTS, default: 5 },
        example: 3,
      },
    ],
    responses: {
      ...json('RulesTestAnswer', 'What rules would have done, in the order of the configuration.'),
      400: BAD_REQUEST,
      404: failed('There is no rule of that name.'),
      429: failed(
        'Another test is under way, or too much is asked for your address: ask again after Retry-After seconds.',
      ),
      503: failed('It took too long: try a shorter window, or fewer rules.'),
    },
  },
  '/api/v1/status': {
    operationId: 'readStatus',
    summary: 'The collector itself: version, storage, limits, configuration',
    responses: json('StatusAnswer', 'The status.'),
  },
  '/api/v1/events': {
    operationId: 'listen',
    summary: 'Server-sent events: one "tick" per interval, when new figures can be asked for',
    description: 'The data of a tick is JSON: see the schema Tick.',
    responses: {
      200: plain('A stream that does not end.', 'text/event-stream'),
      400: BAD_REQUEST,
      503: failed('Too many are listening already.'),
    },
  },
  '/api/v1/openapi.json': {
    operationId: 'readDescription',
    summary: 'This description',
    responses: {
      200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
      400: BAD_REQUEST,
    },
  },
  '/metrics': {
    operationId: 'scrape',
    summary: 'All counters for Prometheus',
    responses: { 200: plain('Text exposition, version 0.0.4.'), 500: INTERNAL },
  },
  '/-/healthy': {
    operationId: 'isHealthy',
    summary: 'Whether the process answers',
    responses: { 200: plain('It does.') },
  },
  '/-/ready': {
    operationId: 'isReady',
    summary: 'Whether figures can be asked for',
    responses: { 200: plain('They can.'), 503: plain('Not yet, and why.') },
  },
};

/** What any request may be answered before it is looked at. */
const REFUSALS: Operation['responses'] = {
  401: failed('The configuration asks for a name and password, or a token.'),
  403: failed('The role read may only read; a page of another site may change nothing.'),
  421: failed('Asked under a name that is not in web.allowed_hosts.'),
  429: failed('Too much at once, or too many wrong passwords: ask again after Retry-After seconds.'),
};

const refusable = (operation: Operation): Operation => ({
  ...operation,
  responses: { ...REFUSALS, ...operation.responses },
});

/** By address and method. */
const PATHS: Readonly<Record<string, { readonly get?: Operation; readonly post?: Operation }>> = {
  ...Object.fromEntries(Object.entries(OPERATIONS).map(([path, operation]) => [path, { get: refusable(operation) }])),
  '/-/reload': { post: refusable(RELOAD) },
};

export const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'Sidelight',
    version: '1.0.0',
    description:
      'Request rate, failures and latency of every service behind Envoy sidecars. Durations in …Ms are milliseconds, times are Unix milliseconds, rates are per second, successRate and errorRate are shares from 0 to 1. A figure that cannot be known is null.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/' }],
  paths: PATHS,
  components: { schemas: SCHEMAS },
};
