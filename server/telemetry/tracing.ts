import { setTimeout as delay } from 'node:timers/promises';
import type { ScrapeRecord } from '../model/scrape-record.ts';

/** The collector's own traces, for who runs an OpenTelemetry backend: one span per scrape. */
export interface Tracing {
  scraped(record: ScrapeRecord): void;
  stop(): Promise<void>;
}

/** A backend that doesn't answer holds up the end of the process no longer than this. */
const STOP_MS = 2000;

const SWITCHES = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_TRACES_EXPORTER'];

/**
 * Starts the OpenTelemetry SDK when its standard variables (`OTEL_…`) ask for it; without them it is not even
 * loaded. Only traces are sent; the collector's metrics are at /metrics.
 */
export async function startTracing(environment: NodeJS.ProcessEnv, version: string): Promise<Tracing> {
  const isWanted = SWITCHES.some((name) => environment[name]) && environment.OTEL_SDK_DISABLED !== 'true';
  if (!isWanted || environment.OTEL_TRACES_EXPORTER === 'none') return { scraped() {}, async stop() {} };
  const [{ SpanStatusCode, trace }, { NodeSDK }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-node'),
  ]);
  const sdk = new NodeSDK({
    serviceName: environment.OTEL_SERVICE_NAME ?? 'sidelight',
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  const tracer = trace.getTracer('sidelight', version);
  return {
    scraped({ target, at, durationMs, bodyBytes, error }) {
      const attributes = { 'sidelight.target': target, 'http.response.body.size': bodyBytes };
      const span = tracer.startSpan('scrape', { startTime: at - durationMs, attributes });
      if (error !== '') span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      span.end(at);
    },
    stop: () => Promise.race([sdk.shutdown(), delay(STOP_MS, undefined, { ref: false })]).catch(() => undefined),
  };
}
