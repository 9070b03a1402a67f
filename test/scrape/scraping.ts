/** Scraping parts with what all tests of this folder share. */

import type { Target } from '../../server/model/discovered-target.ts';
import { formatTargetAddress, type TargetAddress } from '../../server/model/target.ts';
import { AdminClient, type AdminLimits } from '../../server/scrape/admin-client.ts';
import { ScrapeManager, type ScrapeManagerOptions } from '../../server/scrape/scrape-manager.ts';
import { TargetScraper } from '../../server/scrape/target-scraper.ts';

/** For a scrape that is to be good or to fail at once, however busy the machine is. */
const PATIENT_MS = 10_000;
/** For a target that hangs. */
export const IMPATIENT_MS = 250;
export const BODY_LIMIT_BYTES = 1024 * 1024;

export function targetAt(address: TargetAddress): Target {
  return { key: formatTargetAddress(address), address, labels: {}, discoveredLabels: {} };
}

export function clientOf(address: TargetAddress, limits: Partial<AdminLimits> = {}): AdminClient {
  return new AdminClient({
    address,
    timeoutMs: PATIENT_MS,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    now: Date.now,
    ...limits,
  });
}

/** A scraper of one target, with its client. */
export function scraperOf(
  address: TargetAddress,
  timeoutMs = PATIENT_MS,
): { client: AdminClient; scraper: TargetScraper } {
  const client = clientOf(address, { timeoutMs });
  return { client, scraper: new TargetScraper(client) };
}

/** The reason for which a scrape of `address` fails. */
export async function failureOf(address: TargetAddress, timeoutMs = PATIENT_MS): Promise<string> {
  const { client, scraper } = scraperOf(address, timeoutMs);
  try {
    await scraper.scrape();
    return 'it was good';
  } catch (error) {
    return error instanceof Error && error.name === 'ScrapeError' ? error.message : `not a ScrapeError: ${error}`;
  } finally {
    await client.close();
  }
}

export function managerWith(
  options: Pick<ScrapeManagerOptions, 'onResult'> & Partial<ScrapeManagerOptions>,
): ScrapeManager {
  return new ScrapeManager({
    intervalMs: 40,
    timeoutMs: PATIENT_MS,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    slowDown: false,
    zonesEvery: 0,
    clustersEvery: 0,
    seriesLimit: 20_000,
    wantsClusters: () => true,
    onSkipped: () => {},
    concurrency: 256,
    now: Date.now,
    random: () => 0,
    ...options,
  });
}
