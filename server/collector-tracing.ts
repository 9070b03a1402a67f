/** Where the collector's work becomes spans. */

import type { RequestListener } from 'node:http';
import type { ScrapeRecord } from './model/scrape-record.ts';
import type { Tracing, Work } from './telemetry/tracing.ts';

/** Runs a piece of work and tells of it. */
export type Traced = <T>(name: string, work: () => Promise<T>, attributes?: Work['attributes']) => Promise<T>;

export function tracedWork(tracing: Tracing, now: () => number): Traced {
  if (!tracing.isOn) return (_, work) => work();
  return async (name, work, attributes = {}) => {
    const startedAt = now();
    try {
      const result = await work();
      tracing.ended(name, { startedAt, attributes });
      return result;
    } catch (error) {
      tracing.ended(name, { startedAt, attributes, error: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  };
}

export function roundAttributes(round: readonly ScrapeRecord[]): NonNullable<Work['attributes']> {
  return {
    'sidelight.scrapes': round.length,
    'sidelight.scrapes.failed': round.filter(({ error }) => error !== '').length,
  };
}

/** A span for every request, named by the beginning of its path, which is one of a few. */
export function tracedRequests(tracing: Tracing, app: RequestListener): RequestListener {
  if (!tracing.isOn) return app;
  return (request, response) => {
    const startedAt = Date.now();
    const path = (request.url ?? '').replace(/\?.*$/, '');
    const [, root = ''] = path.split('/');
    const route = root === 'api' ? path.split('/', 4).join('/') : ['metrics', '-'].includes(root) ? path : '/';
    response.once('close', () => {
      const attributes = {
        'http.request.method': request.method ?? '',
        'http.response.status_code': response.statusCode,
        'url.path': path.slice(0, 200),
      };
      const error = response.statusCode >= 500 ? `status ${response.statusCode}` : undefined;
      tracing.ended(`${request.method} ${route}`, { startedAt, attributes, error });
    });
    app(request, response);
  };
}
