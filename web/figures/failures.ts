/** What Envoy's reasons for failures mean and where to look, one short sentence each. */

import type { PeerFigures, ServiceAnswer } from '../../server/api/contract.ts';
import { share, text } from '../format/number.ts';
import { judgeCalls } from './calls.ts';
import { failedRequests } from './health.ts';

interface Reason {
  readonly title: string;
  readonly explanation: string;
}

const REASONS: Readonly<Record<string, Reason>> = {
  timeout: {
    title: 'Request timeout',
    explanation: "The answer took longer than the route's timeout; the caller got a 504.",
  },
  try_timeout: {
    title: 'Timeout of one try',
    explanation: 'One try took longer than its own limit; the request may have succeeded on a later try.',
  },
  connect: {
    title: 'Connection failed',
    explanation: 'No connection to an instance: refused, timed out, or the TLS handshake failed.',
  },
  reset: {
    title: 'Reset by the service',
    explanation:
      'The connection or stream broke before the answer was complete (a crash, a restart, an idle limit), or the answer was no HTTP.',
  },
  overflow: {
    title: 'Circuit breaker open',
    explanation: 'Too many requests or connections at once, so Envoy sent the request to nobody.',
  },
  no_healthy_upstream: {
    title: 'No healthy instance',
    explanation: 'Every known instance fails its health check, was ejected, or none is known.',
  },
  maintenance: {
    title: 'Maintenance mode',
    explanation: 'The cluster is switched to maintenance, so Envoy answers 503 itself.',
  },
  idle_timeout: {
    title: 'Idle for too long',
    explanation: 'Nothing was sent either way for longer than the stream may be idle.',
  },
  max_duration: { title: 'Over the longest duration', explanation: 'The stream lasted longer than it may at all.' },
  no_route: { title: 'No route', explanation: 'No route matches the path and host; the caller got a 404.' },
  no_cluster: { title: 'Route to nowhere', explanation: 'The route names a cluster that this Envoy does not have.' },
  rate_limited: { title: 'Rate limited', explanation: 'A rate limit turned the request away with a 429.' },
  fault: { title: 'Injected fault', explanation: 'A fault filter ended the request on purpose.' },
  grpc: {
    title: 'gRPC status not 0',
    explanation: 'The call was answered with HTTP 200 and a gRPC error status.',
  },
  cut_off: {
    title: 'Cut off midway',
    explanation: 'The answer had begun and ended with a reset, so its caller got only a part.',
  },
};

export interface ExplainedFailure extends Reason {
  readonly reason: string;
  readonly events: number;
}

export interface SeenFailure extends ExplainedFailure {
  /** Who saw it where it was not the service itself: `in calls to cart`; else empty. */
  readonly where: string;
}

/**
 * What went wrong with the requests that a service got, then with those that it sent, then what only its callers saw:
 * timeouts of requests that never reached it, for example.
 */
export function seenFailures({ failures, vantage, upstreams, downstreams }: ServiceAnswer): SeenFailure[] {
  const own = explainFailures(failures).map((failure) => ({ ...failure, where: '' }));
  // Where only callers measured, the service's own failures are those that they saw.
  const callers = vantage === 'server' ? downstreams : [];
  return [...own, ...failuresOfCalls('in calls to', upstreams), ...failuresOfCalls('as seen by', callers)];
}

const MOST_NAMES = 3;

function failuresOfCalls(words: string, peers: readonly PeerFigures[]): SeenFailure[] {
  const events: Record<string, number> = {};
  for (const { failures } of peers)
    for (const [reason, amount] of Object.entries(failures)) events[reason] = (events[reason] ?? 0) + amount;
  return explainFailures(events).map((failure) => {
    const names = peers.filter(({ failures }) => failures[failure.reason]).map(({ service }) => service);
    const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
    return { ...failure, where: `${words} ${names.slice(0, MOST_NAMES).join(', ')}${more}` };
  });
}

/** Where 5xx without a reason of their own came from, as far as figures tell; empty where there are none. */
export function originInWords({ codeClasses, failures, role, upstreams }: ServiceAnswer): string {
  if ((codeClasses?.['5xx'] ?? 0) === 0 || Object.keys(failures).length > 0) return '';
  const failing = upstreams
    .filter((calls) => judgeCalls(calls) === 'bad')
    .sort((a, b) => failedRequests(b) - failedRequests(a))
    .slice(0, MOST_NAMES)
    .map(({ service, errorRate }) => `${service} (${text(share(errorRate))})`);
  const answered = role === 'gateway' ? 'came back from what it calls' : 'are what the service itself answered';
  const perhaps = role === 'gateway' ? 'Failing there:' : 'Its own calls fail too, which may be why:';
  return `The 5xx ${answered}.${failing.length > 0 ? ` ${perhaps} ${failing.join(', ')}.` : ''}`;
}

/** Reasons that occurred, most frequent first; one that is not known here keeps its name. */
export function explainFailures(failures: Readonly<Record<string, number>>): ExplainedFailure[] {
  return Object.entries(failures)
    .filter(([, events]) => events > 0)
    .map(([reason, events]) => ({ reason, events, ...(REASONS[reason] ?? unknownReason(reason)) }))
    .sort((a, b) => b.events - a.events || a.reason.localeCompare(b.reason));
}

function unknownReason(reason: string): Reason {
  const words = reason.replaceAll('_', ' ');
  return { title: words.charAt(0).toUpperCase() + words.slice(1), explanation: `Envoy counts these as ${words}.` };
}
