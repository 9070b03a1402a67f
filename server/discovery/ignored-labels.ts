import type { Labels } from '../model/labels.ts';

/** Labels that mean something to Prometheus after relabelling and nothing here, with the reason. */
const IGNORED: readonly (readonly [name: string, reason: string])[] = [
  ['__metrics_path__', "Envoy's admin port is asked at paths of its own"],
  ['__scrape_interval__', 'scrape.interval counts for all targets'],
  ['__scrape_timeout__', 'scrape.timeout counts for all targets'],
];

/** What was set to no effect, in words; empty where nothing was. */
export function ignoredLabels(labels: Labels): string {
  let words = '';
  for (const [name, reason] of IGNORED) {
    const value = labels[name];
    if (value) words += `${words && '; '}${name} (${JSON.stringify(value.slice(0, 80))}) has no effect: ${reason}`;
  }
  return words;
}
