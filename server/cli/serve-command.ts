import { EventEmitter } from 'node:events';
import type { Config } from '../config/config.ts';
import type { ConfigFlags } from '../config/flags.ts';
import { loadConfig } from '../config/load.ts';
import { createLog } from '../telemetry/log.ts';
import { exitOnCrash, processSignals } from './process-events.ts';
import { serve } from './serve.ts';
import type { Terminal } from './terminal.ts';

export interface ServeCommand {
  readonly file: string | undefined;
  readonly flags: ConfigFlags;
  readonly terminal: Terminal;
}

/** Loads the configuration and runs the collector in this process; gives the exit code. */
export async function serveCommand({ file, flags, terminal }: ServeCommand): Promise<number> {
  const loaded = loadConfig(file, flags);
  if ('errors' in loaded) {
    for (const line of loaded.errors) terminal.err(line);
    return 1;
  }
  const { config, namedFiles } = loaded;
  const log = createLog(config.log);
  const signals = processSignals();
  exitOnCrash(log);
  const reloads = new EventEmitter();
  process.on('SIGHUP', () => reloads.emit('SIGHUP'));
  const { startCollector } = await import('../collector.ts');
  const load = (running: Config) => loadConfig(file, flags, running);
  return serve({
    config,
    namedFiles,
    log,
    startCollector: (first, to) => startCollector(first, to, load),
    signals,
    reloads,
    err: terminal.err,
  });
}
