/** Composition root: builds the parts, starts and stops them in order. */

import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { createApp } from './api/app.ts';
import { EventStream } from './api/events.ts';
import { collectorStatus, StoreState } from './collector-status.ts';
import type { Config } from './config/config.ts';
import { VERSION } from './config/version.ts';
import { staticTargets } from './discovery/static.ts';
import { chooseMediaType } from './exporter/accept.ts';
import { renderMetrics, TooManySeriesError } from './exporter/render.ts';
import { compileSampleFilter } from './exporter/sample-filter.ts';
import { Live } from './live/live.ts';
import { decodeTotals } from './mesh/totals.ts';
import type { ScrapeRecord } from './model/scrape-record.ts';
import { Pipeline } from './pipeline.ts';
import { Rounds } from './rounds.ts';
import { ScrapeManager, spreadOf } from './scrape/scrape-manager.ts';
import { SqliteStore } from './store/sqlite/sqlite-store.ts';
import { QuietLog } from './telemetry/quiet-log.ts';
import { SelfMetrics } from './telemetry/self-metrics.ts';
import { startTracing } from './telemetry/tracing.ts';
import { TickClock } from './tick-clock.ts';

export interface RunningCollector {
  /** Where the dashboard is. */
  readonly url: string;
  stop(): Promise<void>;
}

const WEB_FOLDER = fileURLToPath(new URL('../web/dist', import.meta.url));
const GATHER_MS = 150;
const KEEP_SCRAPES = 20_000;
const EXPIRE_EVERY_MS = 60_000;
/** A target that stays down for the same reason is told of this often. */
const WARNING_QUIET_MS = 600_000;

/** @throws Error with a plain message when the file or the port can't be used. */
export async function startCollector(config: Config, log: Logger): Promise<RunningCollector> {
  const now = Date.now;
  const startedAt = now();
  const tracing = await startTracing(process.env, VERSION);
  const store = await SqliteStore.open(config.storage.path);
  const stored = await store.loadTargets();
  const targets = staticTargets(config.discovery.static);
  const metrics = new SelfMetrics(VERSION);
  const live = new Live();
  live.setTargets(
    targets,
    stored.map((entry) => ({ ...entry, flows: decodeTotals(entry.totals)?.flows ?? [] })),
  );
  const warnings = new QuietLog({ log, quietMs: WARNING_QUIET_MS, now });
  const events = new EventStream();
  const storeState = new StoreState(log, metrics);
  const { intervalMs } = config.scrape;
  const pipeline = new Pipeline({ ...config, ...config.scrape, stored, startedAt });
  const ticks = new TickClock({
    intervalMs,
    spreadMs: spreadOf(targets.length, intervalMs),
    now,
    onTick: () => events.tick({ at: now(), intervalMs, targets: { up: live.count('up'), total: live.size } }),
  });
  const rounds = new Rounds({
    append: (round) => metrics.timeStore(() => store.append(round)),
    onSettled(round, failure) {
      live.apply(round);
      storeState.settled(failure);
    },
    gatherMs: GATHER_MS,
    keepScrapes: KEEP_SCRAPES,
  });
  const scrapes = new ScrapeManager({
    ...config.scrape,
    now,
    wantsClusters: (target) => pipeline.wantsClusters(target),
    onResult(result) {
      const record = pipeline.process(result);
      metrics.scraped(record);
      tracing.scraped(record);
      logScrape(warnings, log, record);
      rounds.add(record);
      const zones = record.findings && pipeline.processZones(result);
      if (zones) rounds.add(zones);
    },
  });
  const exporter = { ...config.exporter, filter: compileSampleFilter(config.exporter) };
  const app = createApp({
    store,
    live,
    events,
    intervalMs,
    now,
    webFolder: WEB_FOLDER,
    async metrics(accept) {
      metrics.setTargets(live);
      const { contentType, format } = chooseMediaType(accept);
      const own = await metrics.registry.getMetricsAsJSON();
      return { contentType, pieces: renderMetrics({ ...exporter, targets: live.all(), own, format, now: now() }) };
    },
    metricsRefusals: [TooManySeriesError],
    status: () => collectorStatus({ config, store, live, storeState, startedAt, now }),
    notReady: () => '',
    onError: (error, path) => log.error({ err: error, path }, 'an answer failed'),
  });
  const server = await listen(createServer(app), config.web).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const expiry = setInterval(
    () => void store.expire(now() - config.storage.retentionMs.raw).catch((error: unknown) => storeState.failed(error)),
    EXPIRE_EVERY_MS,
  );
  scrapes.apply(targets);
  ticks.start();
  return {
    url: urlOf(server),
    async stop() {
      clearInterval(expiry);
      ticks.stop();
      await scrapes.stop();
      await rounds.flush();
      events.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await store.close();
      await tracing.stop();
    },
  };
}

/** A target's failure is told when it begins, changes and ends. */
function logScrape(warnings: QuietLog, log: Logger, { target, error }: ScrapeRecord): void {
  if (error !== '') warnings.warn(target, `target is down: ${error}`, { target });
  else if (warnings.clear(target)) log.info({ target }, 'target is up again');
}

function listen(server: Server, { host, port }: Config['web']): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === '' ? {} : { host }) }, () => resolve(server));
  });
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return '';
  const host = address.address === '::' || address.address === '0.0.0.0' ? 'localhost' : address.address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}
