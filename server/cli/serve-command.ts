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
  const { config } = loaded;
  const log = createLog(config.log);
  const signals = processSignals();
  exitOnCrash(log);
  process.on('SIGHUP', () => log.warn('reloading is not available in this version; restart to apply a changed file'));
  const { startCollector } = await import('../collector.ts');
  return serve({ config, log, startCollector, signals, err: terminal.err });
}
