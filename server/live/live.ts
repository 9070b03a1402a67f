/** The newest state of every target, in memory: for the exporter, the target page and who is known. */

import type { Target } from '../model/discovered-target.ts';
import type { FlowKey, Identity } from '../model/flow.ts';
import { type FlowTotal, FlowTotals } from '../model/flow-totals.ts';
import type { ClustersAsked, PaceInForce, ScrapeFindings, ScrapeRecord } from '../model/scrape-record.ts';

export type Health = 'up' | 'down' | 'unknown';

export interface LiveTarget {
  target: Target;
  health: Health;
  lastError: string;
  /** Unix milliseconds. */
  lastScrape: number | null;
  durationMs: number | null;
  bodyBytes: number | null;
  samples: number | null;
  envoyVersion: string;
  precision: ScrapeFindings['precision'] | 'unknown';
  startedAt: number | null;
  /** Starts of its Envoy that the collector saw come after another, the newest last. */
  restarts: readonly number[];
  /** Unix seconds. */
  certificateExpiry: number | null;
  failureSource: ScrapeFindings['failureSource'] | 'unknown';
  /** Clusters that stand for no service. */
  carriers: readonly string[];
  /** The last asking for /clusters; null before. */
  clusters: ClustersAsked | null;
  /** How often it is asked since the last scrape; null before. */
  pace: PaceInForce | null;
  /** Who it is, as far as it ever told. */
  identity: Identity | undefined;
  /** Whether requests to its service are seen there. */
  inbound: boolean;
  /** Since when `flows` count, Unix milliseconds; null where an earlier life of the collector knew it. */
  countedSince: number | null;
  /** Everything counted so far; empty until the first scrape of this life of the collector. What was read stays as it is. */
  readonly flows: readonly FlowTotal[];
  /** The names of the same. */
  readonly flowKeys: readonly FlowKey[];
}

/** What an earlier life of the collector knew of a target. */
export interface RememberedTarget {
  readonly target: string;
  readonly identity: Identity;
  readonly inbound: boolean;
  readonly flows: FlowTotals;
}

const NO_FLOWS = new FlowTotals();

export class Live {
  /** Counts up whenever something changes. */
  revision = 0;
  private readonly targets = new Map<string, CountedTarget>();
  /** Of targets that have not been scraped yet. */
  private readonly remembered = new Map<string, RememberedTarget>();

  /** Makes these the targets that exist; a target that stays keeps its state. */
  setTargets(targets: readonly Target[], remembered: readonly RememberedTarget[] = []): void {
    this.revision++;
    const before = new Map(this.targets);
    for (const entry of remembered) this.remembered.set(entry.target, entry);
    this.targets.clear();
    for (const target of targets) {
      const known = before.get(target.key) ?? new CountedTarget(target, this.remembered.get(target.key));
      known.target = target;
      this.targets.set(target.key, known);
    }
  }

  /** Takes over a round of scrapes once it has been stored, so that nothing is shown that a crash could take back. */
  apply(round: readonly ScrapeRecord[]): void {
    this.revision++;
    for (const record of round) {
      const target = this.targets.get(record.target);
      if (!target) continue;
      applyRecord(target, record);
      if (!record.findings && !target.hasFlows) target.copy(this.remembered.get(record.target)?.flows ?? NO_FLOWS);
      this.remembered.delete(record.target);
    }
  }

  get(key: string): LiveTarget | undefined {
    return this.targets.get(key);
  }

  all(): LiveTarget[] {
    return [...this.targets.values()];
  }

  count(health: Health): number {
    let count = 0;
    for (const target of this.targets.values()) if (target.health === health) count++;
    return count;
  }

  get size(): number {
    return this.targets.size;
  }
}

class CountedTarget implements LiveTarget {
  target: Target;
  health: Health = 'unknown';
  lastError = '';
  lastScrape: number | null = null;
  durationMs: number | null = null;
  bodyBytes: number | null = null;
  samples: number | null = null;
  envoyVersion = '';
  precision: LiveTarget['precision'] = 'unknown';
  startedAt: number | null = null;
  restarts: readonly number[] = [];
  certificateExpiry: number | null = null;
  failureSource: LiveTarget['failureSource'] = 'unknown';
  carriers: readonly string[] = [];
  clusters: ClustersAsked | null = null;
  pace: PaceInForce | null = null;
  identity: Identity | undefined;
  inbound: boolean;
  countedSince: number | null = null;
  /** Unix milliseconds; 0 before. */
  lastGoodScrape = 0;
  private totals = new FlowTotals();
  /** What somebody may still be reading: `totals` are not written again. */
  private read: readonly FlowTotal[] | undefined;

  constructor(target: Target, remembered: RememberedTarget | undefined) {
    this.target = target;
    this.identity = remembered?.identity;
    this.inbound = remembered?.inbound ?? false;
  }

  get flows(): readonly FlowTotal[] {
    this.read ??= [...this.totals];
    return this.read;
  }

  get flowKeys(): readonly FlowKey[] {
    return this.totals.keys;
  }

  get hasFlows(): boolean {
    return this.totals.size > 0;
  }

  /** Copies totals, which change with the next scrape, into the copy before where nobody has read it. */
  copy(totals: FlowTotals): void {
    if (this.read) this.totals = new FlowTotals();
    this.read = undefined;
    this.totals.take(totals);
  }
}

/** Uptimes are told in whole seconds, so the same start may be told a little differently. */
const START_TOLERANCE_MS = 1500;
const MOST_RESTARTS = 20;

function applyRecord(target: CountedTarget, record: ScrapeRecord): void {
  target.health = record.findings ? 'up' : 'down';
  target.lastError = record.error;
  target.lastScrape = record.at;
  target.durationMs = record.durationMs;
  target.clusters = record.clusters ?? target.clusters;
  target.pace = record.pace ?? target.pace;
  const { findings } = record;
  if (!findings) return;
  target.bodyBytes = record.bodyBytes;
  target.samples = findings.samples;
  target.envoyVersion = findings.envoyVersion;
  target.precision = findings.precision;
  if (isRestart(target, findings.startedAt))
    target.restarts = [...target.restarts, findings.startedAt ?? 0].slice(-MOST_RESTARTS);
  target.lastGoodScrape = findings.observation.to;
  target.startedAt = findings.startedAt ?? target.startedAt;
  target.certificateExpiry = findings.certificateExpiry;
  target.failureSource = findings.failureSource;
  target.carriers = findings.carriers ?? [];
  target.identity = findings.observation.identity;
  target.inbound = findings.inbound;
  target.countedSince = findings.countedSince;
  target.copy(findings.flowTotals);
}

/** One that answered since it is said to have started is the same: a clock was put right, its own or the collector's. */
function isRestart({ startedAt, lastGoodScrape }: CountedTarget, now: number | null): boolean {
  return startedAt !== null && now !== null && now > Math.max(startedAt + START_TOLERANCE_MS, lastGoodScrape);
}
