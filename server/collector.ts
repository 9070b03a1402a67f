/** Composition root: builds the parts, starts and stops them in order. */

import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { createApp } from './api/app.ts';
import { EventStream } from './api/events.ts';
import { CollectorAlerts } from './collector-alerts.ts';
import { CollectorOtlp, traceReceiver } from './collector-otlp.ts';
import { ConfigReload } from './collector-reload.ts';
import { CollectorRemoteWrite } from './collector-remote-write.ts';
import { collectorStatus, StoreState, StoreWatch } from './collector-status.ts';
import { roundAttributes, tracedRequests, tracedWork } from './collector-tracing.ts';
import { upkeepLoop } from './collector-upkeep.ts';
import { CollectorWeb } from './collector-web.ts';
import type { Config } from './config/config.ts';
import type { Loaded } from './config/load.ts';
import { VERSION } from './config/version.ts';
import { Discovery } from './discovery/discovery.ts';
import { chooseMediaType } from './exporter/accept.ts';
import { renderMetrics, TooManySeriesError } from './exporter/render.ts';
import { compileSampleFilter } from './exporter/sample-filter.ts';
import { Live } from './live/live.ts';
import { decodeTotals } from './mesh/totals.ts';
import type { Target } from './model/discovered-target.ts';
import { FlowTotals } from './model/flow-totals.ts';
import type { ScrapeRecord } from './model/scrape-record.ts';
import { Pipeline } from './pipeline.ts';
import { Rounds } from './rounds.ts';
import { ScrapeManager, spreadOf } from './scrape/scrape-manager.ts';
import { openStore } from './store/open.ts';
import type { StoreLimits, StoreOptions } from './store/store.ts';
import { QuietLog } from './telemetry/quiet-log.ts';
import { SelfMetrics } from './telemetry/self-metrics.ts';
import { startTracing } from './telemetry/tracing.ts';
import { TickClock } from './tick-clock.ts';

export interface RunningCollector {
  /** Where the dashboard is. */
  readonly url: string;
  /** Reads the configuration again; gives what is wrong with it, in one line each, and then nothing has changed. */
  reload(): readonly string[];
  stop(): Promise<void>;
}

const WEB_FOLDER = fileURLToPath(new URL('../web/dist', import.meta.url));
/** How long a round gathers scrapes; longer where they come all the time: what a round costs is shared by more of them. */
const GATHER_MS = 150;
const GATHER_STEADY_MS = 1000;
const MOST_GATHERED = 200;
/** While the store fails: a few rounds of a large mesh, hours of a small one. */
const KEEP_SCRAPES = 5000;
const UPKEEP_REST_MS = 5000;
const LOGGED_CONFLICTS = 10;
/** A target that stays down for the same reason is told of this often. */
const WARNING_QUIET_MS = 600_000;

/** Reads the configuration again, for a collector that runs by `running`. */
export type LoadAgain = (running: Config) => Loaded;

/** @throws Error with a plain message when the file or the port can't be used. */
export async function startCollector(
  config: Config,
  log: Logger,
  load: LoadAgain = (running) => ({ config: running }),
): Promise<RunningCollector> {
  const now = Date.now;
  const startedAt = now();
  const events = new EventStream();
  const web = new CollectorWeb({ config: config.web, log, now, onLetInChanged: () => events.disconnect() });
  const tracing = await startTracing(process.env, VERSION, await traceReceiver(config, process.env, log));
  const traced = tracedWork(tracing, now);
  const { intervalMs } = config.scrape;
  const storeOptions: StoreOptions = { ...limitsOf(config), path: config.storage.path, intervalMs };
  const metrics = new SelfMetrics(VERSION);
  const storeState = new StoreState(log, metrics, now);
  const store = await openStore(storeOptions, (message) => storeState.threadLost(message));
  const stored = await store.loadTargets();
  const live = new Live();
  live.setTargets(
    [],
    stored.map(({ target, identity, inbound, totals }) => {
      return { target, identity, inbound, flows: decodeTotals(totals)?.flows ?? new FlowTotals() };
    }),
  );
  const warnings = new QuietLog({ log, quietMs: WARNING_QUIET_MS, now });
  const alerts = new CollectorAlerts({
    config,
    store,
    live,
    log,
    warnings: new QuietLog({ log, quietMs: WARNING_QUIET_MS, now }),
    registry: metrics.registry,
    now,
  });
  const watch = new StoreWatch(store, storeOptions);
  const pipeline = new Pipeline({ ...config, ...config.scrape, stored, startedAt });
  const ticks = new TickClock({
    ...tickTimes(config, live),
    now,
    onTick() {
      const { intervalMs } = configs.config.scrape;
      events.tick({
        at: now(),
        intervalMs,
        targets: { up: live.count('up'), down: live.count('down'), total: live.size },
        alerts: { firing: alerts.firing },
      });
    },
  });
  const rounds = new Rounds({
    append: (round, id) =>
      traced('store round', () => metrics.timeStore(() => store.append(round, id)), roundAttributes(round)),
    onSettled(round, failure) {
      live.apply(round);
      if (failure) pipeline.missedTotals();
      storeState.settled(round, failure);
    },
    gatherMs: () => gatherOf(configs.config, live),
    mostGathered: MOST_GATHERED,
    keepScrapes: KEEP_SCRAPES,
  });
  const scrapes = new ScrapeManager({
    ...config.scrape,
    now,
    random: Math.random,
    wantsClusters: (target) => pipeline.wantsClusters(target),
    onSkipped: (count) => metrics.skipped.inc(count),
    onResult(result) {
      const record = pipeline.process(result);
      metrics.scraped(record);
      tracing.scraped(record);
      logScrape(warnings, log, record);
      alerts.scraped([record]);
      rounds.add(record);
      if (record.findings) for (const besides of pipeline.processBesides(result)) rounds.add(besides);
    },
  });
  let filter = compileSampleFilter(config.exporter);
  const remoteWrite = new CollectorRemoteWrite({
    config,
    live,
    isDiscovered: () => discovery.states().every(({ answered }) => answered),
    own: () => ownFamilies(),
    registry: metrics.registry,
    log,
    warnings: new QuietLog({ log, quietMs: WARNING_QUIET_MS, now }),
    now,
  });
  const takeTargets = (targets: readonly Target[]) => {
    live.setTargets(targets);
    pipeline.setTargets(targets, now());
    scrapes.apply(targets);
    ticks.configure(tickTimes(configs.config, live));
    remoteWrite.targetsChanged();
    warnings.keep(new Set(targets.map(({ key }) => key)));
  };
  const discoveryWarnings = new QuietLog({ log, quietMs: WARNING_QUIET_MS, now });
  const discovery = new Discovery({
    surroundings: { now, random: Math.random },
    onTargets: takeTargets,
    onHealth: (entry, error) => logDiscovery(discoveryWarnings, log, { entry, error }),
    onConflicts: (lines) => logConflicts(log, lines),
  });
  const configs = new ConfigReload({
    config,
    load,
    check: (changed) => web.check(changed.web),
    now,
    apply(changed) {
      web.apply(changed.web);
      log.level = changed.log.level;
      filter = compileSampleFilter(changed.exporter);
      pipeline.configure({ ...changed, ...changed.scrape });
      scrapes.configure(changed.scrape);
      store.limit(limitsOf(changed));
      ticks.configure(tickTimes(changed, live));
      discovery.apply(changed);
      alerts.reload(changed);
      remoteWrite.reload(changed);
      otlp.reload(changed);
    },
  });
  const ownFamilies = async () => {
    metrics.setTargets(live);
    alerts.setMetrics();
    remoteWrite.setMetrics();
    metrics.setStore(await watch.read(), storeState.newestStored === null ? null : now() - storeState.newestStored);
    metrics.setConfig(configs.state);
    metrics.setDiscovery(discovery.states(), discovery.dropped().total);
    return metrics.registry.getMetricsAsJSON();
  };
  const otlp = new CollectorOtlp(config, {
    environment: process.env,
    live,
    log,
    warnings: new QuietLog({ log, quietMs: WARNING_QUIET_MS, now }),
    registry: metrics.registry,
    own: ownFamilies,
    remembered: new Set(stored.map(({ target }) => target)),
    startedAt,
    now,
  });
  const app = createApp({
    store,
    discovery,
    live,
    alerts,
    events,
    intervalMs: () => configs.config.scrape.intervalMs,
    measuredTo: () => ticks.toldUntil,
    now,
    entrance: web.entrance,
    headers: web.headers,
    webFolder: WEB_FOLDER,
    async metrics(accept) {
      const { contentType, format } = chooseMediaType(accept);
      const own = await ownFamilies();
      const { exporter } = configs.config;
      return {
        contentType,
        pieces: renderMetrics({ ...exporter, filter, targets: live.all(), own, format, now: now() }),
      };
    },
    metricsRefusals: [TooManySeriesError],
    status: () =>
      collectorStatus({
        configs,
        discovery,
        store: watch,
        live,
        storeState,
        otlp,
        remoteWrite: () => remoteWrite.status(),
        startedAt,
        now,
      }),
    reload: () => reloaded(configs, log),
    notReady: () => '',
    onError: (error, path) => log.error({ err: error, path }, 'an answer failed'),
  });
  const url = await web.listen(tracedRequests(tracing, app)).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const upkeep = upkeepLoop({
    slice: () => traced('upkeep', () => metrics.timeUpkeep(() => store.upkeep(now()))),
    onFailure: (error) => storeState.upkeepFailed(error),
    onSuccess: () => storeState.upkeepDone(),
    restMs: Math.min(intervalMs, UPKEEP_REST_MS),
  });
  await alerts.start();
  upkeep.start();
  await otlp.start();
  discovery.apply(config);
  ticks.start();
  remoteWrite.start();
  return {
    url,
    reload: () => reloaded(configs, log),
    async stop() {
      await discovery.stop();
      ticks.stop();
      await Promise.all([upkeep.stop(), scrapes.stop(), alerts.stop(), remoteWrite.stop()]);
      await rounds.flush();
      await otlp.stop();
      events.close();
      await web.stop();
      await store.close();
      await tracing.stop();
    },
  };
}

function limitsOf({ storage: { retentionMs, maxSizeBytes } }: Config): StoreLimits {
  return { retentionMs, maxBytes: maxSizeBytes };
}

function tickTimes({ scrape: { intervalMs } }: Config, live: Live) {
  return { intervalMs, spreadMs: spreadOf(live.size, intervalMs) };
}

/** Scrapes in step are told of by a tick soon after them, and are to be stored by then. */
function gatherOf({ scrape: { intervalMs } }: Config, live: Live): number {
  const isSteady = spreadOf(live.size, intervalMs) === intervalMs;
  return isSteady ? Math.max(GATHER_MS, Math.min(GATHER_STEADY_MS, intervalMs / 10)) : GATHER_MS;
}

/** Reloads and tells how that went. */
function reloaded(configs: ConfigReload, log: Logger): readonly string[] {
  const errors = configs.reload();
  for (const error of errors) log.error(`the configuration was not reloaded: ${error}`);
  if (errors.length === 0) log.info('the configuration was reloaded');
  return errors;
}

function logDiscovery(warnings: QuietLog, log: Logger, { entry, error }: { entry: string; error: string }): void {
  if (error !== '') warnings.warn(entry, `${entry}: ${error}`);
  else if (warnings.clear(entry)) log.info(`${entry} works again`);
}

function logConflicts(log: Logger, lines: readonly string[]): void {
  for (const line of lines.slice(0, LOGGED_CONFLICTS)) log.warn(line);
  const more = lines.length - LOGGED_CONFLICTS;
  if (more > 0) log.warn(`${more} more targets were found twice, with other labels: the Targets page tells which`);
}

/** A target's failure is told when it begins, changes and ends. */
function logScrape(warnings: QuietLog, log: Logger, { target, error }: ScrapeRecord): void {
  if (error !== '') warnings.warn(target, `target is down: ${error}`, { target });
  else if (warnings.clear(target)) log.info({ target }, 'target is up again');
}
