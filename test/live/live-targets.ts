/** A live mesh made by hand: scrapes are applied as if they had been stored. */

import { Live, type RememberedTarget } from '../../server/live/live.ts';
import type { Target } from '../../server/model/discovered-target.ts';
import type { Labels } from '../../server/model/labels.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { parseTargetAddress } from '../../server/model/target.ts';

/** A target as static discovery hands it over. */
export function discovered(text: string, labels: Labels = {}): Target {
  const parsed = parseTargetAddress(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return { key: text, address: parsed.address, labels, discoveredLabels: { ...labels, __address__: text } };
}

/** Targets by the addresses of the records, in order of appearance. */
export function liveWith(rounds: readonly ScrapeRecord[], remembered: readonly RememberedTarget[] = []): Live {
  const live = new Live();
  const addresses = new Set([...remembered.map(({ target }) => target), ...rounds.map(({ target }) => target)]);
  live.setTargets(
    [...addresses].map((text) => discovered(text)),
    remembered,
  );
  live.apply(rounds);
  return live;
}
