/** From one scrape to one record: knows the order of the stages, and keeps one mesh state per target. */

import { connectionsKey } from './mesh/connection-mesh.ts';
import { KnownAddresses } from './mesh/known-addresses.ts';
import { compileNamingRules, type NamingRules } from './mesh/naming-rules.ts';
import { PlanCache } from './mesh/plan-cache.ts';
import { type PackedMesh, TargetMesh } from './mesh/target-mesh.ts';
import { zonesKey } from './mesh/zone-mesh.ts';
import type { Target } from './model/discovered-target.ts';
import type { ScrapeFindings, ScrapeRecord, StoredTarget } from './model/scrape-record.ts';
import type { ScrapeResult } from './scrape/scrape-loop.ts';

/** What may change while the collector runs. */
export interface PipelineSettings {
  readonly peers: readonly { match: string; service: string }[];
  readonly local: readonly string[];
  readonly seriesLimit: number;
  readonly intervalMs: number;
}

export interface PipelineOptions extends PipelineSettings {
  /** What an earlier life of the collector stored. */
  readonly stored: readonly StoredTarget[];
  readonly startedAt: number;
}

/** A mesh state, and what it was made or configured for last. */
interface ActiveMesh {
  readonly mesh: TargetMesh;
  target: Target;
  rules: NamingRules;
}

interface KnownTarget {
  /** Packed a while after the target has gone: with many that come and go it would be most of what is in memory. */
  state: ActiveMesh | PackedMesh;
  /** When the target ceased to be one; null while it is. */
  goneAt: number | null;
}

type Start = 'stored' | 'storedZones' | 'storedConnections';

/** What a mesh state goes on from: of an earlier life of the collector, or of this one. */
type Kept = Pick<PackedMesh, Start> | PackedMesh;

/** A target that comes back within this time goes on where it was. */
const GONE_KEPT_MS = 600_000;
const GONE_KEPT = 1000;

export class Pipeline {
  private settings: PipelineSettings;
  private rules: NamingRules;
  private plans: PlanCache;
  private readonly addresses = new KnownAddresses();
  private readonly startedAt: number;
  private readonly stored: Map<string, StoredTarget>;
  private readonly storedRound: number | null;
  private readonly targets = new Map<string, KnownTarget>();
  /** Those that are gone and not packed yet. */
  private readonly unpacked = new Set<string>();
  private keptSince = 0;

  constructor({ stored, startedAt, ...settings }: PipelineOptions) {
    this.settings = settings;
    this.startedAt = startedAt;
    this.rules = compileNamingRules(settings.peers, settings.local);
    this.plans = new PlanCache(this.rules);
    this.stored = new Map(stored.map((target) => [target.target, target]));
    this.storedRound = stored.length > 0 ? Math.max(...stored.map(({ lastScrape }) => lastScrape)) : null;
  }

  /** Other rules and limits, from the next scrape of each target on. */
  configure(settings: PipelineSettings): void {
    this.settings = settings;
    this.rules = compileNamingRules(settings.peers, settings.local);
    this.plans = new PlanCache(this.rules);
  }

  /** Some totals may not have been kept: all are told as a whole next. */
  missedTotals(): void {
    this.keptSince++;
  }

  /** These are the targets from now on; the others are forgotten after a while. */
  setTargets(targets: readonly Target[], now: number): void {
    const current = new Set(targets.map(({ key }) => key));
    const gone: (readonly [key: string, goneAt: number])[] = [];
    for (const [key, known] of this.targets) {
      known.goneAt = current.has(key) ? null : (known.goneAt ?? now);
      if (known.goneAt !== null) gone.push([key, known.goneAt]);
      if (known.goneAt === null) this.unpacked.delete(key);
      else if ('mesh' in known.state) this.unpacked.add(key);
    }
    gone.sort(([, one], [, other]) => other - one);
    for (const [index, [key, goneAt]] of gone.entries())
      if (now - goneAt > GONE_KEPT_MS || index >= GONE_KEPT) this.forget(key);
  }

  private forget(target: string): void {
    this.targets.delete(target);
    this.unpacked.delete(target);
    this.addresses.forget(target);
  }

  /** One at a time: where many go at once, nothing waits for all of them. */
  private packOne(): void {
    const [key] = this.unpacked;
    if (key === undefined) return;
    this.unpacked.delete(key);
    const known = this.targets.get(key);
    if (known && 'mesh' in known.state) known.state = known.state.mesh.packed() ?? known.state;
  }

  /** Whether /clusters of a target is worth asking for often; so it is as long as nothing is known of it. */
  wantsClusters(target: string): boolean {
    const state = this.targets.get(target)?.state;
    return !state || !('mesh' in state) || state.mesh.wantsClusters;
  }

  process({ target, at, durationMs, error, good, extras, pace }: ScrapeResult): ScrapeRecord {
    this.packOne();
    const clusters = extras?.asked;
    const failed = {
      target: target.key,
      at,
      durationMs,
      bodyBytes: good?.bodyBytes ?? 0,
      clusters,
      pace,
      findings: undefined,
    };
    if (!good) return { ...failed, error };
    try {
      const scraped = {
        ...good,
        hosts: extras?.hosts,
        listeners: extras?.listeners,
        previousRound: this.previousRound(at),
        keptSince: this.keptSince,
      };
      const findings: ScrapeFindings = this.meshOf(target).observe(scraped);
      return { ...failed, error: '', findings };
    } catch (problem) {
      return { ...failed, error: problem instanceof Error ? problem.message : String(problem) };
    }
  }

  /** What a good scrape that was processed told besides, each under a key of its own: by zone, and of bare connections; nothing where that can't be true. */
  processBesides(result: ScrapeResult): ScrapeRecord[] {
    try {
      return this.besides(result);
    } catch {
      return [];
    }
  }

  private besides({ target, durationMs, good }: ScrapeResult): ScrapeRecord[] {
    if (!good) return [];
    const { at, bodyBytes } = good;
    const mesh = this.meshOf(target);
    const scraped = { ...good, previousRound: this.previousRound(at), keptSince: this.keptSince };
    const record = (key: string, findings: ScrapeFindings | undefined): ScrapeRecord[] =>
      findings ? [{ target: key, at, durationMs, bodyBytes, error: '', findings }] : [];
    return [
      ...record(zonesKey(target.key), mesh.observeZones(scraped)),
      ...record(connectionsKey(target.key), mesh.observeConnections(scraped)),
    ];
  }

  /**
   * When the round before the one at `at` was: of this life, or the last one of an earlier life, unless the clock was put
   * back.
   */
  private previousRound(at: number): number | null {
    const { intervalMs } = this.settings;
    const { startedAt, storedRound } = this;
    const isBack = at < startedAt || (storedRound !== null && at <= storedRound);
    return isBack || at - intervalMs >= startedAt ? at - intervalMs : storedRound;
  }

  private meshOf(target: Target): TargetMesh {
    const active = this.activeOf(target);
    if (active.target !== target || active.rules !== this.rules) active.mesh.configure(this.changeable(target));
    active.target = target;
    active.rules = this.rules;
    return active.mesh;
  }

  private activeOf(target: Target): ActiveMesh {
    const known = this.targets.get(target.key);
    const before = known?.state ?? this.storedOf(target.key);
    if ('mesh' in before) return before;
    const mesh = this.newMesh(target, before);
    const active = { mesh, target, rules: this.rules };
    if (known) known.state = active;
    else this.targets.set(target.key, { state: active, goneAt: null });
    // An answer that was on its way when the target went.
    if (known && known.goneAt !== null) this.unpacked.add(target.key);
    return active;
  }

  private newMesh(target: Target, { stored, storedZones, storedConnections, ...kept }: Kept): TargetMesh {
    const { scheme, host, path } = target.address;
    return new TargetMesh({
      ...this.changeable(target),
      addresses: this.addresses,
      address: target.key,
      host: scheme === 'unix' ? path : host,
      stored,
      storedZones,
      storedConnections,
      kept: 'hosts' in kept ? kept : undefined,
    });
  }

  /** What was stored counts once: a target that was forgotten and comes back begins anew. */
  private storedOf(key: string): Pick<PackedMesh, Start> {
    return {
      stored: this.takeStored(key),
      storedZones: this.takeStored(zonesKey(key)),
      storedConnections: this.takeStored(connectionsKey(key)),
    };
  }

  private takeStored(key: string): StoredTarget | undefined {
    const stored = this.stored.get(key);
    this.stored.delete(key);
    return stored;
  }

  private changeable({ labels, fallbackPlace }: Target) {
    return { labels, fallbackPlace, rules: this.rules, plans: this.plans, seriesLimit: this.settings.seriesLimit };
  }
}
