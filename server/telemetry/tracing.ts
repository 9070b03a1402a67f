import { setTimeout as delay } from 'node:timers/promises';
import type { ScrapeRecord } from '../model/scrape-record.ts';

type Attributes = Readonly<Record<string, string | number>>;

/** A piece of work that has ended. */
export interface Work {
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly attributes?: Attributes;
  /** Why it failed; absent when it did not. */
  readonly error?: string | undefined;
}

/** The collector's own traces, for who runs an OpenTelemetry backend: spans of scrapes, rounds, upkeep and requests. */
export interface Tracing {
  readonly isOn: boolean;
  scraped(record: ScrapeRecord): void;
  ended(name: string, work: Work): void;
  stop(): Promise<void>;
}

/** Where traces go by the configuration file, which beats the environment. */
export interface TraceReceiver {
  readonly url: string;
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A backend that doesn't answer holds up the end of the process no longer than this. */
const STOP_MS = 2000;

const SWITCHES = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_TRACES_EXPORTER'];

/** Of so many pieces of work one is told, unless OTEL_TRACES_SAMPLER says otherwise. */
const SAMPLING = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' };

const OFF: Tracing = { isOn: false, scraped() {}, ended() {}, async stop() {} };

/**
 * Starts the OpenTelemetry SDK when the file or its standard variables (`OTEL_…`) ask for it; else it is not even
 * loaded. Only traces are sent by it: the collector's metrics go with those of the mesh.
 *
 * @param environment is written to: the SDK takes no other settings.
 */
export async function startTracing(
  environment: NodeJS.ProcessEnv,
  version: string,
  receiver?: TraceReceiver,
): Promise<Tracing> {
  const isWanted = receiver !== undefined || SWITCHES.some((name) => environment[name]);
  if (!isWanted || environment.OTEL_SDK_DISABLED === 'true' || environment.OTEL_TRACES_EXPORTER === 'none') return OFF;
  Object.assign(environment, settingsOf(receiver), environment.OTEL_TRACES_SAMPLER ? {} : SAMPLING);
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
  const tell = (name: string, { startedAt, attributes = {}, error }: Work, endedAt?: number) => {
    const span = tracer.startSpan(name, { startTime: startedAt, attributes });
    if (error) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    span.end(endedAt);
  };
  return {
    isOn: true,
    scraped({ target, at, durationMs, bodyBytes, error }) {
      const attributes = { 'sidelight.target': target, 'http.response.body.size': bodyBytes };
      tell('scrape', { startedAt: at - durationMs, attributes, error }, at);
    },
    ended: (name, work) => tell(name, work),
    async stop() {
      await Promise.race([sdk.shutdown(), delay(STOP_MS, undefined, { ref: false })]).catch(() => undefined);
      trace.disable();
    },
  };
}

function settingsOf(receiver: TraceReceiver | undefined): NodeJS.ProcessEnv {
  if (!receiver) return {};
  const headers = Object.entries(receiver.headers).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return {
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: receiver.protocol,
    ...(headers.length > 0 && { OTEL_EXPORTER_OTLP_TRACES_HEADERS: headers.join(',') }),
  };
}
