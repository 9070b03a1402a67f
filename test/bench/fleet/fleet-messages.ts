/** What a fleet's processes and whoever started them tell each other. */

import type { Counted } from './simulated-traffic.ts';

/** Of every sidecar, each at an address of its own. */
export const FLEET_PORT = Number(process.env.FLEET_PORT ?? 19_901);

/** One address of the loopback network for each sidecar. */
export function addressOf(index: number): string {
  return `127.${32 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

/** The sidecars of one process. */
export interface FleetPart {
  readonly indexes: readonly number[];
  readonly services: number;
  readonly instances: number;
  /** At which the collector is to ask each of them. */
  readonly intervalMs: number;
}

export interface FleetCommand {
  /** `count`: counting answers begins anew; `freeze`: nothing more is served to the sidecars' callers. */
  readonly do: 'report' | 'count' | 'freeze' | 'replace';
  /** Numbers of sidecars. */
  readonly remove?: readonly number[];
  readonly add?: readonly number[];
}

/** Answers to /stats. */
export interface Served {
  readonly collector: number;
  /** Of whoever asks besides. */
  readonly others: number;
  /** Of the collector's, by the time since the one before. */
  readonly late: number;
  readonly missed: number;
  readonly longestGapMs: number;
}

export interface FleetReport {
  /** What the collector was told from its first to its last answer of each sidecar. */
  readonly truth: Counted;
  readonly served: Served;
  /** Sidecars that were not asked since everything stands still. */
  readonly waiting: number;
}
