/** The one interface of all discovery mechanisms. */

import type { Labels } from '../model/labels.ts';
import type { Reach } from '../model/reach.ts';

/** An admin endpoint as a mechanism found it, before relabelling. */
export interface Endpoint {
  /** What `__address__` is before relabelling: `host:port`, `[::1]:9901`, `https://host:port` or `unix:/path`. */
  readonly address: string;
  /**
   * `__meta_<mechanism>_…` labels for relabelling rules, and plain ones (`service`, `instance`, `namespace`, `region`,
   * `zone`, `role`) that stay unless a rule changes them. `__region__` and `__zone__` count where neither a plain label
   * nor Envoy's own locality tells the place.
   */
  readonly labels: Labels;
  /** How to get there, where the mechanism knows it better than the configuration does. */
  readonly reach?: Reach;
}

/** What one source (a file, an address, a name, a pod) told last, complete. */
export interface TargetGroup {
  /** Unique within the mechanism's entry, and the same at every update. */
  readonly source: string;
  readonly targets: readonly Endpoint[];
  /** What was found and can't be a target, with the reason in plain words; shown among the dropped ones. */
  readonly excluded?: readonly { readonly labels: Labels; readonly reason: string }[];
}

/** Takes what a mechanism finds. */
export interface DiscoverySink {
  /**
   * Each group takes the place of the earlier one of the same source; one with neither targets nor excluded ones
   * removes it. The first call, be it with an empty list, says that the first answer is there.
   */
  update(groups: readonly TargetGroup[]): void;
  /** What is wrong with the mechanism itself, in plain words with a remedy; empty when all is well. */
  health(error: string): void;
}

/**
 * A running entry of `discovery`. Its loops never reject and never end by themselves; while it fails, it emits nothing,
 * so that its last good groups stay. After stop() has been called it calls the sink no more.
 */
export interface Discoverer {
  start(sink: DiscoverySink): void;
  stop(): Promise<void>;
}

/** Makes the mechanism for one entry of the configuration. Does no I/O yet, and does not throw. */
export type CreateDiscoverer<Entry> = (entry: Entry, surroundings: Surroundings) => Discoverer;

/** What mechanisms are given, so that tests can give something else. */
export interface Surroundings {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
}
