/** What the crashing program stores: a small mesh whose counts are known for every round. */

import { GrowthSum } from '../../server/model/growth.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import type { StoreOptions } from '../../server/store/store.ts';
import { storeOptions } from '../store/options.ts';
import { goodScrape } from '../store/records.ts';

/** A whole hour of Unix time. */
export const START = 1_699_999_200_000;
export const INTERVAL_MS = 10_000;
const MINUTE_MS = 60_000;
export const SERVICES = ['a', 'b', 'c'] as const;
const INSTANCES = 2;

/** Short enough that every tier is written and forgotten while the program runs. */
export function crashOptions(path: string): StoreOptions {
  const retentionMs = {
    raw: 20 * MINUTE_MS,
    '1m': 60 * MINUTE_MS,
    '10m': 240 * MINUTE_MS,
    '1h': 400 * 1440 * MINUTE_MS,
  };
  return storeOptions(path, { intervalMs: INTERVAL_MS, retentionMs });
}

/** Requests of a service in one round: received, and twice as many sent. */
export const perRound = (service: number): number => INSTANCES * (service + 1);

/** `first`: in which totals are told as a whole; after it, they are told as growth most of the time. */
export function roundOf(round: number, first = round): ScrapeRecord[] {
  const [from, to] = [START + (round - 1) * INTERVAL_MS, START + round * INTERVAL_MS];
  return SERVICES.flatMap((service, index) =>
    Array.from({ length: INSTANCES }, (_, instance) =>
      goodScrape({
        target: `${service}${instance}:9901`,
        from,
        to,
        identity: { service, instance: `${service}-${instance}`, region: `r${instance}`, zone: `r${instance}z` },
        flows: [
          { counters: { '2xx': index + 1 }, latency: { [7 + index]: index + 1 } },
          { direction: 'outbound', peer: 'db', counters: { '2xx': 2 * (index + 1) }, latency: { 3: 2 * (index + 1) } },
        ],
        findings: {
          totals: {
            shape: `["shape ${round >> 5}"]`,
            ...(round > first && round % WHOLE_EVERY !== 0
              ? { values: growthOf(round), isGrowth: true }
              : { values: wholeOf(round) }),
            sequence: round,
          },
        },
      }),
    ),
  );
}

/** Shapes change no more often. */
const WHOLE_EVERY = 32;

/** What whole totals are in a round. */
export const wholeOf = (round: number): Uint8Array => Uint8Array.of(round & 255, (round >> 8) & 255, round >> 16);

/** What totals grow by in a round: they tell how many rounds there were, and the sum of their numbers. */
export function growthOf(round: number): Uint8Array {
  const growth = new GrowthSum();
  growth.value(0, 1);
  growth.value(1, round);
  growth.bins(0, { keys: [round % 3], counts: [round] });
  return growth.finish();
}
