/** The only place that talks to the collector. Every answer is typed by the API's contract. */

import type {
  AlertHistoryAnswer,
  AlertsAnswer,
  ErrorBody,
  HeatmapAnswer,
  QueryAnswer,
  RegionsAnswer,
  RulesAnswer,
  RulesTestAnswer,
  ServiceAnswer,
  ServicePartsAnswer,
  StatusAnswer,
  TargetsAnswer,
} from '../server/api/contract.ts';
import { CALL_FIELDS, type ListedCalls } from './listed-call.ts';
import { LISTED_FIELDS, type ListedServices } from './listed-service.ts';
import { joinSteps, newestSteps } from './state/newest-steps.ts';
import type { Step } from './state/window.ts';

/** A path with its query; the type parameter says what it answers with. */
export interface ApiRequest<Answer> {
  readonly path: string;
  /** How to bring a known answer up to date without asking for all of it again. */
  readonly newest?: Newest<Answer>;
}

/** Asks for the end of an answer alone. */
export interface Newest<Answer> {
  readonly path: string;
  /** Both as one; null where they do not meet, or the known part is no longer true. */
  join(known: Answer, newest: Answer): Answer | null;
}

/** Figures cover `window` up to now, or up to `until` (Unix milliseconds). */
export interface Span {
  readonly window: string;
  readonly windowMs: number;
  readonly until: number | null;
}

/** What a series is of: a service, or one of its instances. */
export interface Subject extends ServiceName {
  readonly instance?: string;
}

/** A signal of a subject over a time, in steps; `offset` takes it from that much earlier. */
export interface SeriesWish {
  readonly subject: Subject;
  readonly span: Span;
  readonly step: string;
  readonly offset?: string;
}

/** A signal as an alert rule sees it. */
export interface AlarmWish {
  readonly filters: Readonly<Record<string, string>>;
  readonly apart: readonly string[];
  readonly direction: 'inbound' | 'outbound';
  readonly span: Span;
  readonly step: string;
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
function subjectParameters({ service, namespace, instance }: Subject): Record<string, string> {
  return { service, namespace, ...(instance === undefined ? {} : { instance }) };
}

function offsetParameters(offset: string | undefined): Record<string, string> {
  return offset === undefined ? {} : { offset };
}

function seriesParameters({ subject, span, step, offset }: SeriesWish): Record<string, string> {
  return { ...subjectParameters(subject), ...spanParameters(span), step, ...offsetParameters(offset) };
}

export const api = {
  topology: (span: Span): ApiRequest<ListedCalls> =>
    request('topology', { ...spanParameters(span), fields: CALL_FIELDS }),

  /** From where to where requests went: all of them, or those to one service. */
  regions: (name: ServiceName | null, span: Span): ApiRequest<RegionsAnswer> =>
    request('regions', { ...(name ? subjectParameters(name) : {}), ...spanParameters(span) }),

  services: (span: Span, offset?: string): ApiRequest<ListedServices> =>
    request('services', { ...spanParameters(span), ...offsetParameters(offset), fields: LISTED_FIELDS }),

  serviceNames: (span: Span): ApiRequest<ServicePartsAnswer> =>
    request('services', { ...spanParameters(span), fields: 'service' }),

  service: ({ service, namespace, instance }: Subject, span: Span): ApiRequest<ServiceAnswer> =>
    request(`services/${encodeURIComponent(service)}`, {
      ...(namespace === '' ? {} : { namespace }),
      ...(instance === undefined ? {} : { instance }),
      ...spanParameters(span),
    }),

  /** One series per service. */
  trends: (signal: string, span: Span, step: Step): ApiRequest<QueryAnswer> => {
    const of = (time: Span) =>
      request<QueryAnswer>('query', { signal, by: 'service,namespace', ...spanParameters(time), step: step.step });
    const newest = newestSteps(span, step.ms);
    return newest ? { ...of(span), newest: { ...of(newest), join: joinSteps } } : of(span);
  },

  /** Request rate, one series per class of HTTP status. */
  codeClasses: (wish: SeriesWish): ApiRequest<QueryAnswer> =>
    request('query', { signal: 'request_rate', by: 'code_class', ...seriesParameters(wish) }),

  /** One signal, in one series. */
  series: (signal: string, wish: SeriesWish): ApiRequest<QueryAnswer> =>
    request('query', { signal, ...seriesParameters(wish) }),

  /** How latencies were spread, step by step. */
  heatmap: (wish: SeriesWish): ApiRequest<HeatmapAnswer> => request('heatmap', seriesParameters(wish)),

  /** The targets of one service. */
  targetsOf: (name: ServiceName): ApiRequest<TargetsAnswer> => request('targets', subjectParameters(name)),

  /** Every time that an alert fired, of one service or of all. */
  alertHistory: (service: string | null, span: Span): ApiRequest<AlertHistoryAnswer> =>
    request('alerts/history', { ...(service === null ? {} : { service }), ...spanParameters(span) }),

  /** The signal of a rule for the labels of one alert; `apart` are labels that series are told apart by. */
  alarmSeries: (signal: string, { filters, apart, direction, span, step }: AlarmWish): ApiRequest<QueryAnswer> =>
    request('query', {
      signal,
      ...filters,
      ...(apart.length === 0 ? {} : { by: apart.join(',') }),
      ...(direction === 'outbound' ? { direction } : {}),
      ...spanParameters(span),
      step,
    }),

  alerts: (): ApiRequest<AlertsAnswer> => request('alerts'),
  rules: (): ApiRequest<RulesAnswer> => request('rules'),

  /** What rules would have done, all of them where no name is given; takes the collector up to a minute. */
  rulesTest: (rule: string, window: string, maxAlerts: number): ApiRequest<RulesTestAnswer> =>
    request('rules/test', { ...(rule === '' ? {} : { rule }), window, max_alerts: String(maxAlerts) }),
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
  if (!isAnswer(path, body)) throw new Unintelligible('JSON that is not of the API');
  return body as Answer;
}

/** Lists and maps that an answer holds, by the address that it is of; every entry of a list is a map. */
const PARTS: readonly (readonly [address: RegExp, lists: readonly string[], maps: readonly string[]])[] = [
  [/^\/api\/v1\/services(\?|$)/, ['services'], []],
  [/^\/api\/v1\/services\//, ['byInstance', 'byRegion', 'upstreams', 'downstreams'], ['failures', 'latencyMs']],
  [/^\/api\/v1\/query/, ['series'], []],
  [/^\/api\/v1\/heatmap/, [], ['times', 'boundsMs', 'counts']],
  [/^\/api\/v1\/topology/, ['nodes', 'edges'], []],
  [/^\/api\/v1\/regions/, ['regions', 'zones'], []],
  [/^\/api\/v1\/targets/, ['targets', 'dropped'], []],
  [/^\/api\/v1\/status/, [], ['scrape', 'storage', 'build']],
  [/^\/api\/v1\/alerts\/history/, ['firings'], []],
  [/^\/api\/v1\/alerts(\?|$)/, ['alerts'], []],
  [/^\/api\/v1\/rules/, ['rules'], []],
];

function isAnswer(path: string, body: unknown): boolean {
  if (!isMap(body) || Array.isArray(body)) return false;
  const [, lists = [], maps = []] = PARTS.find(([address]) => address.test(path)) ?? [];
  return (
    lists.every((name) => Array.isArray(body[name]) && body[name].every(isMap)) &&
    maps.every((name) => isMap(body[name]))
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
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
