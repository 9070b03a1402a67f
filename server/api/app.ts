import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import type { Live } from '../live/live.ts';
import { ZoneRegions } from '../live/zones.ts';
import { FILTERS } from '../measure/filters.ts';
import { inSlices } from '../measure/slices.ts';
import { QueryStoppedError, QueryTooLargeError, type Store, StoreThreadError } from '../store/store.ts';
import { slotMsOf } from '../store/tiers.ts';
import { type AlertsView, alertHistory } from './alerts.ts';
import { AnswerCache } from './answer-cache.ts';
import { Asking, type AskingOptions, type Sources } from './asking.ts';
import type { ErrorBody, StatusAnswer } from './contract.ts';
import type { EventStream } from './events.ts';
import { EDGE_FIELDS, fieldsOf, SERVICE_FIELDS, servicePart } from './fields.ts';
import { directoryOf, figuresVersion } from './figures-version.ts';
import { refuseOtherSites } from './guard.ts';
import { HEATMAP_PARAMS, heatmap } from './heatmap.ts';
import { type MetricsOptions, metricsHandler } from './metrics.ts';
import { openApi } from './openapi.ts';
import { filtersOf, oneOf, parseParams, RequestError, single, timeRange } from './params.ts';
import { DIRECTIONS, QUERY_PARAMS, querySignal } from './query.ts';
import { describeRegions } from './regions.ts';
import { RULES_TEST_PARAMS, RulesTest } from './rules-test.ts';
import { securityHeaders } from './security-headers.ts';
import { describeService, listServices } from './services.ts';
import { SharedSums } from './shared-sums.ts';
import { sendJson } from './slices.ts';
import { type DiscoveryView, httpSd, listTargets, TARGETS_PARAMS } from './targets.ts';
import { describeTopology } from './topology.ts';

export interface ApiParts {
  readonly store: Pick<Store, 'sums'>;
  readonly live: Live;
  readonly discovery: DiscoveryView;
  readonly events: EventStream;
  readonly intervalMs: () => number;
  /** Up to when all scrapes that were due have been told of; Unix milliseconds. */
  readonly measuredTo: () => number;
  readonly now: () => number;
  readonly metrics: MetricsOptions['metrics'];
  /** Errors of `metrics` that tell the client why there is no answer. */
  readonly metricsRefusals: MetricsOptions['refusals'];
  readonly status: () => Promise<StatusAnswer>;
  /** Reads the configuration again; gives what is wrong with it, in one line each, and then nothing has changed. */
  readonly reload: () => readonly string[];
  readonly alerts: AlertsView;
  /** Why the collector can't serve figures yet; empty when it can. */
  readonly notReady: () => string;
  /** What every request passes first: checks of who asks, and for what. */
  readonly entrance?: readonly RequestHandler[];
  /** Headers of all answers in place of the built-in ones. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Folder of the built web app. */
  readonly webFolder: string;
  readonly onError: (error: unknown, path: string) => void;
  /** How long a query may take and how many are answered at once, where that differs from the default. */
  readonly limits?: Omit<AskingOptions, 'store' | 'alerts'>;
}

type Handler = (request: Request) => Promise<unknown>;
/** A handler that asks the store. */
type Query = (sources: Sources, request: Request) => Promise<unknown>;

const TIME = ['window', 'from', 'to'];

export function createApp(parts: ApiParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(securityHeaders(parts.headers), ...(parts.entrance ?? []));
  app.get('/-/healthy', (_, response) => void response.type('text').send('Sidelight is healthy.\n'));
  app.get('/-/ready', (_, response) => {
    const reason = parts.notReady();
    response
      .status(reason ? 503 : 200)
      .type('text')
      .send(reason ? `Not ready: ${reason}.\n` : 'Sidelight is ready.\n');
  });
  app.get('/metrics', metricsHandler({ ...parts, refusals: parts.metricsRefusals }));
  const version = figuresVersion(parts);
  const store = new SharedSums(parts.store, version);
  const asking = new Asking({ store, alerts: () => parts.alerts.counts(), ...parts.limits });
  const cache = new AnswerCache(version);
  const directory = directoryOf(parts.live);
  for (const [path, query] of Object.entries(queries(parts)))
    app.get(path, (request, response) =>
      cache.answer(request, response, (waiting) =>
        asking.run(directory(), waiting, (sources) => query(sources, request)),
      ),
    );
  for (const [path, handler] of Object.entries(lists(parts)))
    app.get(path, (request, response) => cache.answer(request, response, () => handler(request)));
  for (const [path, handler] of Object.entries(resources(parts))) app.get(path, answer(handler));
  const rulesTest = new RulesTest(parts.alerts);
  app.get('/api/v1/rules/test', async (request, response) => {
    const body = await rulesTest.run(paramsOf(request, RULES_TEST_PARAMS), response);
    await sendJson(response.set('cache-control', 'no-store'), body);
  });
  app.get('/api/v1/events', (request, response) => {
    paramsOf(request, []);
    parts.events.handle(request, response);
  });
  app.post('/-/reload', (request, response) => {
    refuseOtherSites(request);
    const errors = parts.reload();
    if (errors.length > 0) throw new RequestError(errors.join('\n'), 400, 'bad_config');
    response.type('text').send('The configuration was reloaded.\n');
  });
  app.all('/-/reload', (request, response) => {
    response.set('allow', 'POST');
    throw new RequestError(`${request.method} is not possible here: reload with POST`, 405, 'not_allowed');
  });
  app.use(onlyReading);
  app.use('/api', (request) => {
    throw new RequestError(
      `there is no ${request.originalUrl.split('?')[0]}: see /api/v1/openapi.json`,
      404,
      'not_found',
    );
  });
  serveWeb(app, parts.webFolder);
  app.use(() => {
    throw new RequestError('there is no such address', 404, 'not_found');
  });
  app.use(errorHandler(parts.onError));
  return app;
}

/** What is answered from the store. */
function queries(parts: ApiParts): Record<string, Query> {
  const clock = () => ({
    now: parts.now(),
    slotMs: slotMsOf(parts.intervalMs()),
    measuredTo: parts.measuredTo(),
  });
  return {
    '/api/v1/services': async (sources, request) => {
      const params = paramsOf(request, [...TIME, 'offset', 'fields', ...FILTERS]);
      const fields = fieldsOf(params, SERVICE_FIELDS);
      const answer = await listServices(sources, timeRange(params, clock()), filtersOf(params));
      return fields ? { ...answer, services: await inSlices(answer.services, servicePart(fields)) } : answer;
    },
    '/api/v1/services/:service': async (sources, request) => {
      const params = paramsOf(request, [...TIME, 'offset', 'namespace', 'region', 'zone', 'instance']);
      const { namespace: _, ...filters } = filtersOf(params);
      const name = { service: String(request.params.service), namespace: single(params, 'namespace') };
      return describeService(sources, name, timeRange(params, clock()), filters);
    },
    '/api/v1/query': (sources, request) => querySignal(sources, paramsOf(request, QUERY_PARAMS), clock()),
    '/api/v1/heatmap': (sources, request) => heatmap(sources, paramsOf(request, HEATMAP_PARAMS), clock()),
    '/api/v1/topology': async (sources, request) => {
      const params = paramsOf(request, [...TIME, 'fields', ...FILTERS]);
      const fields = fieldsOf(params, EDGE_FIELDS);
      return describeTopology(sources, { range: timeRange(params, clock()), filters: filtersOf(params), fields });
    },
    '/api/v1/regions': async (sources, request) => {
      const params = paramsOf(request, [...TIME, 'service', 'namespace', 'direction']);
      const query = {
        range: timeRange(params, clock()),
        filters: filtersOf(params),
        direction: oneOf(params, 'direction', DIRECTIONS) ?? 'inbound',
      };
      return describeRegions({ ...sources, zones: new ZoneRegions(parts.live.all()) }, query);
    },
  };
}

/** Long answers that change with the figures. */
function lists(parts: ApiParts): Record<string, Handler> {
  return {
    '/api/v1/targets': async (request) => {
      return listTargets(parts.live.all(), paramsOf(request, TARGETS_PARAMS), parts.discovery);
    },
    '/api/v1/alerts/history': (request) => {
      const params = paramsOf(request, [...TIME, 'service', 'namespace']);
      const clock = { now: parts.now(), slotMs: slotMsOf(parts.intervalMs()) };
      return alertHistory(parts.alerts, timeRange(params, clock), filtersOf(params));
    },
  };
}

/** What else is answered. */
function resources(parts: ApiParts): Record<string, Handler> {
  return {
    '/api/v1/http_sd': async (request) => {
      return httpSd(parts.live.all(), filtersOf(paramsOf(request, FILTERS)));
    },
    '/api/v1/alerts': async (request) => {
      paramsOf(request, []);
      return { at: parts.now(), alerts: parts.alerts.alerts() };
    },
    '/api/v1/rules': async (request) => {
      paramsOf(request, []);
      return parts.alerts.rules();
    },
    '/api/v1/status': async (request) => {
      paramsOf(request, []);
      return parts.status();
    },
    '/api/v1/openapi.json': async (request) => {
      paramsOf(request, []);
      return openApi;
    },
  };
}

/** Whatever else is asked for in another way than by GET or HEAD. */
function onlyReading(request: Request, response: Response, next: NextFunction): void {
  if (request.method === 'GET' || request.method === 'HEAD') {
    next();
    return;
  }
  response.set('allow', 'GET, HEAD');
  throw new RequestError(`${request.method} is not possible here: everything is read with GET`, 405, 'not_allowed');
}

function paramsOf(request: Request, allowed: readonly string[]): ReturnType<typeof parseParams> {
  return parseParams(request.originalUrl.split('?').slice(1).join('?'), allowed);
}

function answer(handler: Handler): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    const body = await handler(request);
    response.set('cache-control', 'no-store').json(body);
  };
}

/** The web app: hashed assets for ever, its page for every address that it routes itself. */
function serveWeb(app: Express, folder: string): void {
  const page = 'index.html';
  app.use('/assets', express.static(join(folder, 'assets'), { immutable: true, maxAge: '1y', fallthrough: false }));
  app.use(express.static(folder, { index: false }));
  app.get('/{*path}', (_, response) => {
    if (!existsSync(join(folder, page)))
      throw new RequestError('the dashboard is not built: run "npm run build"', 503, 'not_built');
    response.set('cache-control', 'no-cache').sendFile(page, { root: folder });
  });
}

function errorHandler(onError: ApiParts['onError']) {
  return (error: unknown, request: Request, response: Response, next: NextFunction): void => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const problem = toRequestError(error);
    if (problem.status >= 500 && !(problem.code in PASSING)) onError(error, request.path);
    if (problem.code in PASSING) response.set('retry-after', PASSING[problem.code] ?? '');
    const body: ErrorBody = { error: { code: problem.code, message: problem.message } };
    // Headers of a file that was about to be sent do not fit.
    response.removeHeader('content-range');
    response.status(problem.status).set('cache-control', 'no-store').type('json').json(body);
  };
}

/** Failures that pass, by code, and after how many seconds to ask again; none of them is a fault of the collector. */
const PASSING: Readonly<Record<string, string>> = { busy: '1', timeout: '10', too_many: '1' };

function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof QueryStoppedError) return new RequestError(error.message, 503, 'timeout');
  if (error instanceof QueryTooLargeError) return new RequestError(error.message, 400, 'too_large');
  if (error instanceof StoreThreadError) return new RequestError(error.message, 503, 'busy');
  const status = Number((error as { status?: unknown } | null)?.status);
  if (status === 404) return new RequestError('there is no such file', 404, 'not_found');
  if (status >= 400 && status < 500) return new RequestError('the address can not be read', status, 'bad_request');
  return new RequestError('the answer could not be worked out: the log says why', 500, 'internal');
}
