/** From one scrape to one record: knows the order of the stages, and keeps one mesh state per target. */

import { connectionsKey } from './mesh/connection-mesh.ts';
import { KnownAddresses } from './mesh/known-addresses.ts';
import { compileNamingRules, type NamingRules } from './mesh/naming-rules.ts';
import { PlanCache } from './mesh/plan-cache.ts';
import { TargetMesh } from './mesh/target-mesh.ts';
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
interface KnownMesh {
  readonly mesh: TargetMesh;
  target: Target;
  rules: NamingRules;
  /** When the target ceased to be one; null while it is. */
  goneAt: number | null;
}

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
  private readonly meshes = new Map<string, KnownMesh>();
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
    let gone = 0;
    for (const [key, known] of this.meshes) {
      known.goneAt = current.has(key) ? null : (known.goneAt ?? now);
      if (known.goneAt === null) continue;
      if (now - known.goneAt > GONE_KEPT_MS || ++gone > GONE_KEPT) this.forget(key);
    }
  }

  private forget(target: string): void {
    this.meshes.delete(target);
    this.addresses.forget(target);
  }

  /** Whether /clusters of a target is worth asking for often; so it is as long as nothing is known of it. */
  wantsClusters(target: string): boolean {
    return this.meshes.get(target)?.mesh.wantsClusters ?? true;
  }

  process({ target, at, durationMs, error, good, extras, pace }: ScrapeResult): ScrapeRecord {
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
    const known = this.meshes.get(target.key) ?? this.newMesh(target);
    if (known.target !== target || known.rules !== this.rules) known.mesh.configure(this.changeable(target));
    known.target = target;
    known.rules = this.rules;
    return known.mesh;
  }

  /** What was stored counts once: a target that was forgotten and comes back begins anew. */
  private newMesh(target: Target): KnownMesh {
    const { scheme, host, path } = target.address;
    const mesh = new TargetMesh({
      ...this.changeable(target),
      addresses: this.addresses,
      address: target.key,
      host: scheme === 'unix' ? path : host,
      stored: this.takeStored(target.key),
      storedZones: this.takeStored(zonesKey(target.key)),
      storedConnections: this.takeStored(connectionsKey(target.key)),
    });
    const known = { mesh, target, rules: this.rules, goneAt: null };
    this.meshes.set(target.key, known);
    return known;
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
