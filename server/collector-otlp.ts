/** OTLP of the running collector: whom it pushes to, and what is told of that. */

import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { OtlpStatus } from './api/contract.ts';
import type { Config } from './config/config.ts';
import { VERSION } from './config/version.ts';
import type { CollectorFamily } from './exporter/collector-families.ts';
import { OtlpExporter } from './exporter/otlp/otlp-exporter.ts';
import type { Outcome } from './exporter/otlp/outcome.ts';
import { requestHeaders } from './exporter/otlp/request-headers.ts';
import { chooseOtlp, type OtlpSettings } from './exporter/otlp/settings.ts';
import type { Live } from './live/live.ts';
import type { Labels } from './model/labels.ts';
import { SecretFiles } from './reach/credentials.ts';
import { OtlpMetrics } from './telemetry/otlp-metrics.ts';
import type { QuietLog } from './telemetry/quiet-log.ts';
import type { TraceReceiver } from './telemetry/tracing.ts';

export interface CollectorOtlpOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly live: Live;
  readonly log: Logger;
  readonly warnings: QuietLog;
  readonly registry: Registry;
  readonly own: () => Promise<readonly CollectorFamily[]>;
  /** Targets that an earlier life counted. */
  readonly remembered: ReadonlySet<string>;
  readonly startedAt: number;
  readonly now: () => number;
}

const MEMORY = ':memory:';

export class CollectorOtlp {
  private readonly options: CollectorOtlpOptions;
  private metrics: OtlpMetrics | undefined;
  private config: Config;
  private running: { readonly settings: OtlpSettings; readonly exporter: OtlpExporter } | undefined;
  private changing: Promise<void> = Promise.resolve();

  constructor(config: Config, options: CollectorOtlpOptions) {
    this.config = config;
    this.options = options;
  }

  async start(): Promise<void> {
    await this.apply(this.config, this.options.remembered);
  }

  /** Another configuration: another receiver is told everything anew. */
  reload(config: Config): void {
    const known = () => new Set(this.options.live.all().map(({ target }) => target.key));
    this.changing = this.changing.then(() => this.apply(config, known()));
  }

  async stop(): Promise<void> {
    await this.changing;
    await this.running?.exporter.stop();
  }

  /** Null where nothing is pushed. */
  status(): OtlpStatus | null {
    if (!this.running) return null;
    const { settings, exporter } = this.running;
    const { protocol, temporality, intervalMs, url } = settings;
    return { endpoint: new URL(url).origin, protocol, temporality, intervalMs, ...exporter.state };
  }

  private async apply(config: Config, remembered: ReadonlySet<string>): Promise<void> {
    const { log, environment } = this.options;
    const { settings, warnings } = chooseOtlp(config.otlp, environment);
    const isSame = JSON.stringify(settings) === JSON.stringify(this.running?.settings);
    const isSamePath = config.storage.path === this.config.storage.path;
    this.config = config;
    if (isSame && isSamePath) return;
    for (const warning of warnings) log.warn(warning);
    await this.running?.exporter.stop();
    this.running = undefined;
    if (!settings) return;
    const exporter = await OtlpExporter.open(this.exporterOptions(settings, remembered));
    this.running = { settings, exporter };
    exporter.start();
    log.info(`metrics are pushed to ${new URL(settings.url).origin} by OTLP`);
  }

  private exporterOptions(settings: OtlpSettings, remembered: ReadonlySet<string>) {
    const { live, own, startedAt, now, log, registry, environment } = this.options;
    this.metrics ??= new OtlpMetrics(registry);
    const { path } = this.config.storage;
    return {
      settings,
      own,
      startedAt,
      now,
      remembered,
      version: VERSION,
      targets: () => live.all(),
      resource: collectorResource(environment, this.config.web),
      buckets: () => this.config.exporter.buckets,
      statePath: path === MEMORY ? undefined : `${path}.otlp`,
      onOutcome: (outcome: Outcome, points: number) => this.told(settings, outcome, points),
      onError: (error: unknown) => log.error({ err: error }, 'a push by OTLP failed'),
    };
  }

  private told({ url }: OtlpSettings, outcome: Outcome, points: number): void {
    const { log, warnings, now } = this.options;
    this.metrics?.told(outcome, points, now());
    const key = `otlp ${new URL(url).origin}`;
    const name = `the receiver of OTLP at ${new URL(url).origin}`;
    if (outcome.kind === 'retry') warnings.warn(key, `${name} took nothing: ${outcome.reason}; it is tried again`);
    else if (outcome.kind === 'refused')
      warnings.warn(key, `${name} refused: ${outcome.reason}; it is told anew at the next push`, { points });
    else if (outcome.rejected > 0)
      warnings.warn(key, `${name} left points out: ${outcome.reason}`, { points, rejected: outcome.rejected });
    else if (warnings.clear(key)) log.info(`${name} takes everything again`);
  }
}

/** Who the collector is, by the conventions for resources; OTEL_RESOURCE_ATTRIBUTES adds to it. */
function collectorResource(environment: NodeJS.ProcessEnv, { port }: Config['web']): Labels {
  const given = (environment.OTEL_RESOURCE_ATTRIBUTES ?? '').split(',').flatMap((pair) => {
    const [name = '', value = ''] = pair.split('=', 2).map((part) => part.trim());
    return name !== '' && value !== '' ? [[name, unescaped(value)] as const] : [];
  });
  return {
    'service.name': 'sidelight',
    'service.version': VERSION,
    'service.instance.id': `${hostname()}:${port}`,
    'host.name': hostname(),
    ...Object.fromEntries(given),
    ...(environment.OTEL_SERVICE_NAME ? { 'service.name': environment.OTEL_SERVICE_NAME } : {}),
  };
}

function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Where the file wants the collector's traces; undefined where it says nothing of that. */
export async function traceReceiver(
  { otlp }: Config,
  environment: NodeJS.ProcessEnv,
  log: Pick<Logger, 'warn'>,
): Promise<TraceReceiver | undefined> {
  const { settings } = chooseOtlp(otlp, environment);
  if (otlp.endpoint === '' || !otlp.traces || !settings) return undefined;
  const { url, protocol } = settings;
  const headers = await requestHeaders(settings, new SecretFiles(Date.now))().catch((error: Error) => {
    log.warn(`traces are not sent: ${error.message}`);
  });
  if (!headers) return undefined;
  return {
    url: protocol === 'grpc' ? url : url.replace(/\/v1\/metrics$/, '/v1/traces'),
    protocol,
    headers,
  };
}
