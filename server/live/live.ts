/** The newest state of every target, in memory: for the exporter, the target page and who is known. */

import type { Target } from '../model/discovered-target.ts';
import type { Identity } from '../model/flow.ts';
import type { ClustersAsked, FlowTotal, PaceInForce, ScrapeFindings, ScrapeRecord } from '../model/scrape-record.ts';

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
  flows: readonly FlowTotal[];
}

/** What an earlier life of the collector knew of a target. */
export interface RememberedTarget {
  readonly target: string;
  readonly identity: Identity;
  readonly inbound: boolean;
  readonly flows: readonly FlowTotal[];
}

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
      if (!record.findings && !target.hasFlows) target.flows = this.remembered.get(record.target)?.flows ?? [];
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
  /** Shown as long as there are no copies. */
  private earlier: readonly FlowTotal[] = [];
  private copies: readonly CopiedFlow[] = [];
  /** Whether somebody may still be reading the copies. */
  private isRead = false;

  constructor(target: Target, remembered: RememberedTarget | undefined) {
    this.target = target;
    this.identity = remembered?.identity;
    this.inbound = remembered?.inbound ?? false;
  }

  get flows(): readonly FlowTotal[] {
    this.isRead = true;
    return this.copies.length > 0 ? this.copies : this.earlier;
  }

  set flows(flows: readonly FlowTotal[]) {
    this.earlier = flows;
    this.copies = [];
  }

  get hasFlows(): boolean {
    return this.copies.length + this.earlier.length > 0;
  }

  /** Copies totals, which change with the next scrape, into the copies before where nobody has read them. */
  copy(totals: readonly FlowTotal[]): void {
    this.copies = copiesOf(totals, { known: this.copies, isRead: this.isRead });
    this.earlier = [];
    this.isRead = false;
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
  if (isRestart(target.startedAt, findings.startedAt))
    target.restarts = [...target.restarts, findings.startedAt ?? 0].slice(-MOST_RESTARTS);
  target.startedAt = findings.startedAt ?? target.startedAt;
  target.certificateExpiry = findings.certificateExpiry;
  target.failureSource = findings.failureSource;
  target.carriers = findings.carriers ?? [];
  target.identity = findings.observation.identity;
  target.inbound = findings.inbound;
  if (!target.hasFlows && isFirst(findings)) target.countedSince = findings.observation.from;
  target.copy(findings.flowTotals);
}

function isRestart(before: number | null, now: number | null): boolean {
  return before !== null && now !== null && now > before + START_TOLERANCE_MS;
}

/** Whether nothing was counted before. */
function isFirst({ flowTotals, observation: { flows } }: ScrapeFindings): boolean {
  const sum = (counted: readonly { readonly counters: Float64Array }[]) =>
    counted.reduce((total, { counters }) => counters.reduce((one, other) => one + other, total), 0);
  return sum(flowTotals) === sum(flows);
}

interface Copied {
  readonly known: readonly CopiedFlow[];
  /** What was read is not written again. */
  readonly isRead: boolean;
}

interface CopiedFlow extends FlowTotal {
  readonly bins: { readonly keys: readonly number[]; readonly counts: number[] };
}

/** The keys of bins hardly ever change, and are shared. */
function copiesOf(totals: readonly FlowTotal[], { known, isRead }: Copied): CopiedFlow[] {
  return totals.map(({ flow, counters, gauges, bins }, index) => {
    const copy = known[index];
    const hasKeys = copy !== undefined && isSame(copy.bins.keys, bins.keys);
    if (copy && hasKeys && !isRead && copy.flow === flow) {
      copy.counters.set(counters);
      copy.gauges = gauges;
      for (let i = 0; i < bins.counts.length; i++) copy.bins.counts[i] = bins.counts[i] ?? 0;
      return copy;
    }
    const keys = hasKeys ? copy.bins.keys : bins.keys.slice();
    return { flow, counters: counters.slice(), gauges, bins: { keys, counts: bins.counts.slice() } };
  });
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
