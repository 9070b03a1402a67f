/** What Envoy's reasons for failures mean and where to look, one short sentence each. */

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
