import type { Labels } from './labels.ts';
import type { Reach } from './reach.ts';
import type { TargetAddress } from './target.ts';

/** A target as discovery hands it to scraping. Its key is its identity: the same address is the same target. */
export interface Target {
  readonly key: string;
  readonly address: TargetAddress;
  /** After relabelling, without those that begin with `__`. */
  readonly labels: Labels;
  /** Labels before relabelling. */
  readonly discoveredLabels: Labels;
  /** Region and zone to believe where neither a label nor Envoy's own locality tells them. */
  readonly fallbackPlace?: { readonly region: string; readonly zone: string };
  /** What is to be told of it that is no error. */
  readonly note?: string;
  /** Plain HTTP to the address where there is none. */
  readonly reach?: Reach;
}
