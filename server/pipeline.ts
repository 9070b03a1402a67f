/** From one scrape to one record: knows the order of the stages, and keeps one mesh state per target. */

import { KnownAddresses } from './mesh/known-addresses.ts';
import { compileNamingRules, type NamingRules } from './mesh/naming-rules.ts';
import { PlanCache } from './mesh/plan-cache.ts';
import { TargetMesh } from './mesh/target-mesh.ts';
import { zonesKey } from './mesh/zone-mesh.ts';
import type { Target } from './model/discovered-target.ts';
import type { ScrapeFindings, ScrapeRecord, StoredTarget } from './model/scrape-record.ts';
import type { ScrapeResult } from './scrape/scrape-loop.ts';

export interface PipelineOptions {
  readonly peers: readonly { match: string; service: string }[];
  readonly local: readonly string[];
  readonly seriesLimit: number;
  readonly intervalMs: number;
  /** What an earlier life of the collector stored. */
  readonly stored: readonly StoredTarget[];
  readonly startedAt: number;
}

export class Pipeline {
  private readonly options: PipelineOptions;
  private readonly rules: NamingRules;
  private readonly plans: PlanCache;
  private readonly stored: ReadonlyMap<string, StoredTarget>;
  private readonly storedRound: number | null;
  private readonly meshes = new Map<string, TargetMesh>();
  private readonly addresses = new KnownAddresses();

  constructor(options: PipelineOptions) {
    this.options = options;
    this.rules = compileNamingRules(options.peers, options.local);
    this.plans = new PlanCache(this.rules);
    this.stored = new Map(options.stored.map((target) => [target.target, target]));
    this.storedRound =
      options.stored.length > 0 ? Math.max(...options.stored.map(({ lastScrape }) => lastScrape)) : null;
  }

  /** Whether /clusters of a target is worth asking for often; so it is as long as nothing is known of it. */
  wantsClusters(target: string): boolean {
    return this.meshes.get(target)?.wantsClusters ?? true;
  }

  process({ target, at, durationMs, error, good, extras }: ScrapeResult): ScrapeRecord {
    const clusters = extras?.asked;
    const failed = {
      target: target.key,
      at,
      durationMs,
      bodyBytes: good?.bodyBytes ?? 0,
      clusters,
      findings: undefined,
    };
    if (!good) return { ...failed, error };
    try {
      const scraped = {
        ...good,
        hosts: extras?.hosts,
        listeners: extras?.listeners,
        previousRound: this.previousRound(at),
      };
      const findings: ScrapeFindings = this.meshOf(target).observe(scraped);
      return { ...failed, error: '', findings };
    } catch (problem) {
      return { ...failed, error: problem instanceof Error ? problem.message : String(problem) };
    }
  }

  /** What a good scrape that was processed told by zone; undefined where it told nothing. */
  processZones({ target, durationMs, good }: ScrapeResult): ScrapeRecord | undefined {
    if (!good) return undefined;
    const { at, bodyBytes } = good;
    const findings = this.meshOf(target).observeZones({ ...good, previousRound: this.previousRound(at) });
    return findings && { target: zonesKey(target.key), at, durationMs, bodyBytes, error: '', findings };
  }

  /** When the round before the one at `at` was: of this life, or the last one of an earlier life. */
  private previousRound(at: number): number | null {
    const { intervalMs, startedAt } = this.options;
    return at - intervalMs >= startedAt ? at - intervalMs : this.storedRound;
  }

  private meshOf(target: Target): TargetMesh {
    const known = this.meshes.get(target.key);
    if (known) return known;
    const { scheme, host, path } = target.address;
    const mesh = new TargetMesh({
      labels: target.labels,
      address: target.key,
      host: scheme === 'unix' ? path : host,
      rules: this.rules,
      addresses: this.addresses,
      plans: this.plans,
      seriesLimit: this.options.seriesLimit,
      stored: this.stored.get(target.key),
      storedZones: this.stored.get(zonesKey(target.key)),
    });
    this.meshes.set(target.key, mesh);
    return mesh;
  }
}
