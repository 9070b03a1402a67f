import type { ScrapeRecord } from '../model/scrape-record.ts';
import { startsOf } from './held-increments.ts';
import { PackedObservation } from './packed-observation.ts';

/** The same scrape, its increments packed; as it is where they can't be: increments of several times, numbers that are no counts. */
export function packed(record: ScrapeRecord): ScrapeRecord {
  const { findings } = record;
  if (!findings || startsOf(findings).length > 0) return record;
  try {
    return { ...record, findings: { ...findings, observation: new PackedObservation(findings.observation) } };
  } catch (error) {
    if (error instanceof RangeError) return record;
    throw error;
  }
}

/** What is stored of scrapes is read no more. */
export function release(records: readonly ScrapeRecord[]): void {
  for (const { findings } of records) {
    findings?.totals.release?.();
    if (findings?.observation instanceof PackedObservation) findings.observation.release();
  }
}
