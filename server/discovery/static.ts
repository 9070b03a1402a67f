import type { StaticEntry } from '../config/config.ts';
import type { CreateDiscoverer } from './discoverer.ts';

/** Targets that stand in the configuration. */
export const createStaticDiscoverer: CreateDiscoverer<Pick<StaticEntry, 'targets' | 'labels'>> = (entry) => ({
  start(sink) {
    sink.update([
      { source: 'configuration', targets: entry.targets.map((address) => ({ address, labels: entry.labels })) },
    ]);
  },
  async stop() {},
});
