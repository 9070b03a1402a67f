/** The only place that talks to the collector. Every answer is typed by the API's contract. */

import type {
  ErrorBody,
  QueryAnswer,
  RegionsAnswer,
  ServiceAnswer,
  ServicesAnswer,
  StatusAnswer,
  TargetsAnswer,
  TopologyAnswer,
} from '../server/api/contract.ts';
import type { AlertsAnswer, RulesAnswer } from './alert-answers.ts';

/** A path with its query; the type parameter says what it answers with. */
export interface ApiRequest<_Answer> {
  readonly path: string;
}

/** Figures cover `window` up to now, or up to `until` (Unix milliseconds). */
export interface Span {
  readonly window: string;
  readonly windowMs: number;
  readonly until: number | null;
}

export interface ServiceName {
  readonly service: string;
  readonly namespace: string;
}

/** The collector did not answer, or with something that is no answer of its own. */
export class Unreachable extends Error {}

/** The answer is none: not JSON, or of another shape. `message` says which. */
export class Unintelligible extends Error {}

/** The collector answered that it can't or won't. `message` is its plain words. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

function spanParameters({ window, windowMs, until }: Span): Record<string, string> {
  return until === null ? { window } : { from: String(until - windowMs), to: String(until) };
}

function request<Answer>(path: string, parameters: Record<string, string> = {}): ApiRequest<Answer> {
  const query = new URLSearchParams(parameters).toString();
  return { path: `/api/v1/${path}${query === '' ? '' : `?${query}`}` };
}

/** The namespace is told even where there is none: a name may exist both with and without one. */
function nameParameters({ service, namespace }: ServiceName): Record<string, string> {
  return { service, namespace };
}

export const api = {
  topology: (span: Span): ApiRequest<TopologyAnswer> => request('topology', spanParameters(span)),

  /** From where to where requests went: all of them, or those to one service. */
  regions: (name: ServiceName | null, span: Span): ApiRequest<RegionsAnswer> =>
    request('regions', { ...(name ? nameParameters(name) : {}), ...spanParameters(span) }),

  services: (span: Span): ApiRequest<ServicesAnswer> => request('services', spanParameters(span)),

  service: ({ service, namespace }: ServiceName, span: Span): ApiRequest<ServiceAnswer> =>
    request(`services/${encodeURIComponent(service)}`, {
      ...(namespace === '' ? {} : { namespace }),
      ...spanParameters(span),
    }),

  /** One series per service. */
  trends: (signal: string, span: Span, step: string): ApiRequest<QueryAnswer> =>
    request('query', { signal, by: 'service,namespace', ...spanParameters(span), step }),

  /** Request rate of one service, one series per class of HTTP status. */
  codeClasses: (name: ServiceName, span: Span, step: string): ApiRequest<QueryAnswer> =>
    request('query', {
      signal: 'request_rate',
      by: 'code_class',
      ...nameParameters(name),
      ...spanParameters(span),
      step,
    }),

  /** One signal of one service, in one series. */
  series: (signal: string, name: ServiceName, span: Span, step: string): ApiRequest<QueryAnswer> =>
    request('query', { signal, ...nameParameters(name), ...spanParameters(span), step }),

  alerts: (): ApiRequest<AlertsAnswer> => request('alerts'),
  rules: (): ApiRequest<RulesAnswer> => request('rules'),
  targets: (): ApiRequest<TargetsAnswer> => request('targets'),
  status: (): ApiRequest<StatusAnswer> => request('status'),
  eventsPath: '/api/v1/events',
};

/**
 * Asks the collector. Rejects with {@link Unreachable}, {@link Unintelligible}, {@link Refused}, or the signal's own AbortError.
 */
export async function ask<Answer>({ path }: ApiRequest<Answer>, signal: AbortSignal): Promise<Answer> {
  const response = await reach(path, signal);
  if (!response.ok) throw await refusal(response);
  const body = await readJson(response, signal);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Unintelligible('JSON that is not of the API');
  return body as Answer;
}

async function readJson(response: Response, signal: AbortSignal): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Unintelligible('something that is not JSON');
  }
}

async function reach(path: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(path, { signal, headers: { accept: 'application/json' } });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Unreachable('the collector does not answer');
  }
}

/** An error that the collector did not word itself is that of a proxy in front of it. */
async function refusal(response: Response): Promise<Refused | Unreachable> {
  const body = (await response.json().catch(() => null)) as Partial<ErrorBody> | null;
  const message = body?.error?.message;
  return message ? new Refused(response.status, message) : new Unreachable(`HTTP status ${response.status}`);
}
