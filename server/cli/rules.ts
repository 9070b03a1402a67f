import { rulesOf } from '../alerts/builtin-rules.ts';
import { prometheusRuleFile } from '../alerts/prometheus-rules.ts';
import { loadConfig } from '../config/load.ts';
import type { Terminal } from './terminal.ts';

/** Prints the rules that are on, or what is wrong with the configuration; gives the exit code. */
export function rulesCommand(file: string | undefined, terminal: Terminal): number {
  const loaded = loadConfig(file);
  if ('errors' in loaded) {
    for (const line of loaded.errors) terminal.err(line);
    return 1;
  }
  const { alerts, exporter } = loaded.config;
  terminal.out(prometheusRuleFile({ rules: rulesOf(alerts), buckets: exporter.buckets }).trimEnd());
  return 0;
}
