import { problemOfFiles } from '../collector-web.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { placedMessage } from '../config/named-files.ts';
import { formatDuration } from '../model/duration.ts';
import type { Terminal } from './terminal.ts';

/** Says that the file is valid and what it comes to, or what is wrong with it or with files that it names; gives the exit code. */
export function checkConfig(file: string, terminal: Terminal): number {
  const loaded = loadConfig(file);
  const problem = 'config' in loaded && problemOfFiles(loaded.config.web);
  if ('errors' in loaded || problem) {
    const errors = 'errors' in loaded ? loaded.errors : [placedMessage(problem, loaded.namedFiles)];
    for (const line of errors) terminal.err(line);
    return 1;
  }
  terminal.out(`${file} is valid: ${summary(loaded.config)}`);
  return 0;
}

function summary({ discovery, scrape, storage, web }: Config): string {
  const targets = discovery.static.reduce((sum, group) => sum + group.targets.length, 0);
  const { static: _, relabel: __, targetsLimit: ___, ...mechanisms } = discovery;
  const others = Object.entries(mechanisms).filter(([, entries]) => entries.length > 0);
  const host = web.host.includes(':') ? `[${web.host}]` : web.host;
  return [
    `${targets} static ${targets === 1 ? 'target' : 'targets'}`,
    ...others.map(([name, entries]) => `${entries.length} of discovery.${name}`),
    `interval ${formatDuration(scrape.intervalMs)}`,
    `database ${storage.path}`,
    `dashboard on ${host}:${web.port}`,
  ].join(', ');
}
