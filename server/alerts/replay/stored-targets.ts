import { Live, type LiveTarget } from '../../live/live.ts';
import { FlowTotals } from '../../model/flow-totals.ts';
import type { Labels } from '../../model/labels.ts';
import type { StoredTarget } from '../../model/scrape-record.ts';
import { existing } from '../existing.ts';

const NOWHERE = { scheme: 'http', host: '', port: 0, path: '' } as const;

/** Targets as a file remembers them, without a collector; each existed until it was scraped last. */
export function storedTargets(stored: readonly StoredTarget[]): {
  targets: LiveTarget[];
  exists: (labels: Labels, at: number) => boolean;
} {
  const live = new Live();
  live.setTargets(
    stored.map(({ target }) => ({ key: target, address: NOWHERE, labels: {}, discoveredLabels: {} })),
    stored.map(({ target, identity, inbound }) => ({ target, identity, inbound, flows: new FlowTotals() })),
  );
  const lastScrapes = new Map(stored.map(({ target, lastScrape }) => [target, lastScrape]));
  const targets = live.all();
  return {
    targets,
    exists: (labels, at) => existing(targets.filter(({ target }) => (lastScrapes.get(target.key) ?? 0) >= at))(labels),
  };
}
