import type { Labels } from './labels.ts';
import type { TargetAddress } from './target.ts';

/** A target as discovery hands it to scraping. Its key is its identity: the same address is the same target. */
export interface Target {
  readonly key: string;
  readonly address: TargetAddress;
  readonly labels: Labels;
  /** Labels before relabelling. */
  readonly discoveredLabels: Labels;
}
