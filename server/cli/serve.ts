import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { NamedFiles } from '../config/named-files.ts';
import { VERSION } from '../config/version.ts';
import { plainLine, stackFor } from './plain-error.ts';
import { startErrorLine } from './start-error.ts';

export type StartCollector = (
  config: Config,
  log: Logger,
) => Promise<{ url: string; reload?(): unknown; stop(): Promise<void> }>;

export interface ServeOptions {
  readonly config: Config;
  /** Where it names files. */
  readonly namedFiles?: NamedFiles | undefined;
  readonly log: Logger;
  readonly startCollector: StartCollector;
  /** Emits SIGINT or SIGTERM once the collector is to stop. */
  readonly signals: NodeJS.EventEmitter;
  /** Emits SIGHUP when the configuration is to be read again; a change while the collector starts counts too. */
  readonly reloads?: NodeJS.EventEmitter;
  /** Takes the one line about a failed start. */
  readonly err: (line: string) => void;
  /** Milliseconds that stopping may take; 4500 by default, so that the process is gone within 5 s. */
  readonly stopLimitMs?: number;
}

/** Runs the collector until a signal comes; resolves with the process's exit code. */
export async function serve(options: ServeOptions): Promise<number> {
  const { log, signals, stopLimitMs = 4500 } = options;
  const late = new AbortController();
  const stopSignal = Promise.race([once(signals, 'SIGINT'), once(signals, 'SIGTERM')]);
  const limit = stopSignal
    .then(() => delay(stopLimitMs, undefined, { signal: late.signal }))
    .then(
      () => {
        log.error(
          `not stopped within ${stopLimitMs} ms; what was not written yet is asked for again at the next start`,
        );
        return 1;
      },
      () => 1,
    );
  const code = await Promise.race([startAndStop(options, stopSignal), limit]);
  late.abort();
  return code;
}

async function startAndStop(
  { config, namedFiles, log, startCollector, reloads, err }: ServeOptions,
  stopSignal: Promise<unknown>,
): Promise<number> {
  let reload = () => {
    asked = true;
  };
  let asked = false;
  reloads?.on('SIGHUP', () => reload());
  const collector = await startCollector(config, log).catch((error: unknown) => {
    err(startErrorLine(error, config.web, namedFiles));
    log.debug({ err: error }, 'the start failed');
  });
  if (collector === undefined) return 1;
  log.info(`Sidelight ${VERSION} listening on ${collector.url}`);
  if (hasNoSource(config)) {
    log.warn('no targets yet; add them with --target=127.0.0.1:9901, or under discovery in the file of --config.file');
  }
  reload = () => void collector.reload?.();
  if (asked) reload();
  await stopSignal;
  log.info('stopping');
  try {
    await collector.stop();
    return 0;
  } catch (error) {
    log.error(stackFor(log, error), `stopping failed: ${plainLine(error)}`);
    return 1;
  }
}

function hasNoSource({ discovery: { static: listed, relabel: _, targetsLimit: __, ...mechanisms } }: Config): boolean {
  return (
    listed.every(({ targets }) => targets.length === 0) &&
    Object.values(mechanisms).every((entries) => entries.length === 0)
  );
}
