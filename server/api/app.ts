import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import type { Live } from '../live/live.ts';
import { ServiceDirectory } from '../live/services.ts';
import { ZoneRegions } from '../live/zones.ts';
import { QueryTooLargeError, type Store } from '../store/store.ts';
import type { ErrorBody, StatusAnswer } from './contract.ts';
import type { EventStream } from './events.ts';
import type { Sources } from './measured.ts';
import { type MetricsOptions, metricsHandler } from './metrics.ts';
import { openApi } from './openapi.ts';
import { FILTERS, filtersOf, oneOf, parseParams, RequestError, single, timeRange } from './params.ts';
import { DIRECTIONS, QUERY_PARAMS, querySignal } from './query.ts';
import { describeRegions } from './regions.ts';
import { describeService, listServices } from './services.ts';
import { listTargets } from './targets.ts';
import { describeTopology } from './topology.ts';

export interface ApiParts {
  readonly store: Pick<Store, 'sums'>;
  readonly live: Live;
  readonly events: EventStream;
  readonly intervalMs: number;
  readonly now: () => number;
  readonly metrics: MetricsOptions['metrics'];
  /** Errors of `metrics` that tell the client why there is no answer. */
  readonly metricsRefusals: MetricsOptions['refusals'];
  readonly status: () => Promise<StatusAnswer>;
  /** Why the collector can't serve figures yet; empty when it can. */
  readonly notReady: () => string;
  /** Folder of the built web app. */
  readonly webFolder: string;
  readonly onError: (error: unknown, path: string) => void;
}

type Handler = (request: Request) => Promise<unknown>;

const TIME = ['window', 'from', 'to'];

export function createApp(parts: ApiParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(securityHeaders());
  app.get('/-/healthy', (_, response) => void response.type('text').send('Sidelight is healthy.\n'));
  app.get('/-/ready', (_, response) => {
    const reason = parts.notReady();
    response
      .status(reason ? 503 : 200)
      .type('text')
      .send(reason ? `Not ready: ${reason}.\n` : 'Sidelight is ready.\n');
  });
  app.get('/metrics', metricsHandler({ ...parts, refusals: parts.metricsRefusals }));
  for (const [path, handler] of Object.entries(resources(parts))) app.get(path, answer(handler));
  app.get('/api/v1/events', (request, response) => {
    paramsOf(request, []);
    parts.events.handle(request, response);
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
  app.use(errorHandler(parts.onError));
  return app;
}

/** What each address answers. */
function resources(parts: ApiParts): Record<string, Handler> {
  const sources = (): Sources => ({ store: parts.store, directory: new ServiceDirectory(parts.live.all()) });
  return {
    '/api/v1/services': async (request) => {
      const params = paramsOf(request, [...TIME, ...FILTERS]);
      return listServices(sources(), timeRange(params, parts.now()), filtersOf(params));
    },
    '/api/v1/services/:service': async (request) => {
      const params = paramsOf(request, [...TIME, 'namespace', 'region', 'zone', 'instance']);
      const { namespace: _, ...filters } = filtersOf(params);
      const name = { service: String(request.params.service), namespace: single(params, 'namespace') };
      return describeService(sources(), name, timeRange(params, parts.now()), filters);
    },
    '/api/v1/query': async (request) => {
      return querySignal(sources(), paramsOf(request, QUERY_PARAMS), {
        now: parts.now(),
        intervalMs: parts.intervalMs,
      });
    },
    '/api/v1/topology': async (request) => {
      const params = paramsOf(request, [...TIME, ...FILTERS]);
      return describeTopology(sources(), timeRange(params, parts.now()), filtersOf(params));
    },
    '/api/v1/regions': async (request) => {
      const params = paramsOf(request, [...TIME, 'service', 'namespace', 'direction']);
      const query = {
        range: timeRange(params, parts.now()),
        filters: filtersOf(params),
        direction: oneOf(params, 'direction', DIRECTIONS) ?? 'inbound',
      };
      return describeRegions({ ...sources(), zones: new ZoneRegions(parts.live.all()) }, query);
    },
    '/api/v1/targets': async (request) => {
      return listTargets(parts.live.all(), filtersOf(paramsOf(request, FILTERS)));
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

function securityHeaders(): ReturnType<typeof helmet> {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        styleSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'self'"],
      },
    },
    strictTransportSecurity: false,
  });
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
    if (problem.status >= 500) onError(error, request.path);
    const body: ErrorBody = { error: { code: problem.code, message: problem.message } };
    response.status(problem.status).set('cache-control', 'no-store').json(body);
  };
}

function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof QueryTooLargeError) return new RequestError(error.message, 400, 'too_large');
  const status = Number((error as { status?: unknown } | null)?.status);
  if (status === 404) return new RequestError('there is no such file', 404, 'not_found');
  if (status >= 400 && status < 500) return new RequestError('the address can not be read', status, 'bad_request');
  return new RequestError('the answer could not be worked out: the log says why', 500, 'internal');
}
