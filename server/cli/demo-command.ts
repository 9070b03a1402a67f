import type { Config } from '../config/config.ts';
import type { ConfigFlags } from '../config/flags.ts';
import { loadConfig } from '../config/load.ts';
import type { CollectorOptions } from '../demo/demo.ts';
import { createLog } from '../telemetry/log.ts';
import { exitOnCrash, processSignals } from './process-events.ts';
import { startErrorLine } from './start-error.ts';
import type { Terminal } from './terminal.ts';

export interface DemoCommand {
  /** A folder of examples/meshes. */
  readonly mesh: string;
  readonly flags: Pick<ConfigFlags, 'listenAddress' | 'logLevel'>;
  readonly terminal: Terminal;
}

const DEFAULTS = { listenAddress: '127.0.0.1:9191', logLevel: 'warn' };

/** Runs an example mesh with the collector on it until a signal comes; gives the exit code. */
export async function demoCommand({ mesh, flags, terminal }: DemoCommand): Promise<number> {
  const given = { ...DEFAULTS, ...flags };
  const loaded = loadConfig(undefined, given);
  if ('errors' in loaded) {
    for (const line of loaded.errors) terminal.err(line);
    return 1;
  }
  const { config } = loaded;
  const log = createLog(config.log);
  const signals = processSignals();
  exitOnCrash(log);
  const [{ runDemo }, { startCollector }] = await Promise.all([import('../demo/demo.ts'), import('../collector.ts')]);
  try {
    const start = (options: CollectorOptions) => startCollector(configOf(options, config), log);
    await runDemo({ mesh, listen: given.listenAddress, startCollector: start, log: terminal.out, signals });
    return 0;
  } catch (error) {
    terminal.err(startErrorLine(error, config.web));
    return 1;
  }
}

function configOf({ targets, scrapeIntervalMs, storagePath }: CollectorOptions, base: Config): Config {
  const timeoutMs = Math.min(base.scrape.timeoutMs, scrapeIntervalMs);
  return {
    ...base,
    scrape: { ...base.scrape, intervalMs: scrapeIntervalMs, timeoutMs },
    discovery: {
      ...base.discovery,
      static: targets.map(({ address, labels = {} }) => ({ targets: [address], labels, relabel: [] })),
    },
    storage: { ...base.storage, path: storagePath },
  };
}
