import type { Figures, ServiceSummary } from '../../server/api/contract.ts';

/** Figures of a service in good order, with differences. */
export function figures(differences: Partial<Figures> = {}): Figures {
  return {
    requests: 30_000,
    requestRate: 100,
    successRate: 1,
    errorRate: 0,
    codeClasses: { '2xx': 30_000, '3xx': 0, '4xx': 0, '5xx': 0 },
    latencyMs: { p50: 10, p90: 20, p95: 30, p99: 50, p999: 90, mean: 12 },
    latencySamples: 30_000,
    precision: { method: 'bins', source: 'downstream', maxRelativeError: 0.02, capped: false },
    timeouts: 0,
    retries: 0,
    activeRequests: 1,
    state: 'ok',
    ...differences,
  };
}

/** A service in good order, with differences. */
export function summary(service: string, differences: Partial<ServiceSummary> = {}): ServiceSummary {
  return {
    service,
    namespace: '',
    vantage: 'server',
    role: 'sidecar',
    regions: [],
    instances: { up: 2, total: 2 },
    failureSource: 'grpc_stats',
    alerts: { firing: 0, pending: 0 },
    ...figures(),
    ...differences,
  };
}

/** A service of which a share of requests fails. */
export function failing(service: string, errorRate: number, requestRate = 100): ServiceSummary {
  const rates = { requests: requestRate * 300, requestRate, errorRate, successRate: 1 - errorRate };
  return summary(service, rates);
}

const NO_LATENCY: Figures['latencyMs'] = { p50: null, p90: null, p95: null, p99: null, p999: null, mean: null };

/** A service without a request in the window. */
export function quiet(service: string): ServiceSummary {
  return summary(service, {
    requests: 0,
    requestRate: 0,
    successRate: null,
    errorRate: null,
    latencyMs: NO_LATENCY,
    latencySamples: 0,
    state: 'no_traffic',
  });
}

/** A service of which nothing is known. */
export function unseen(service: string, instances = { up: 1, total: 1 }): ServiceSummary {
  return { ...quiet(service), requests: null, requestRate: null, codeClasses: null, state: 'no_data', instances };
}
