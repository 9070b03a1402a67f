import { ClusterNames } from '../envoy/cluster-names.ts';
import type { ServerInfo } from '../envoy/server-info.ts';
import type { Precision, StatsLayout, StatsReading } from '../envoy/stats.ts';
import type { Identity } from '../model/flow.ts';
import type { HostObservation } from '../model/host-increment.ts';
import type { ScrapeFindings, StoredTarget } from '../model/scrape-record.ts';
import { HostMesh, type HostsAnswer } from './host-mesh.ts';
import { type IdentitySources, identify, type NamedIdentity } from './identity.ts';
import { KnownAddresses } from './known-addresses.ts';
import { Meter, type Moment } from './meter.ts';
import type { NamingRules } from './naming-rules.ts';
import { type Plan, reasonedPlan } from './plan.ts';
import { ZoneMesh } from './zone-mesh.ts';

/** What one good scrape brought. */
export interface Scraped {
  readonly reading: StatsReading;
  readonly precision: Precision;
  /** When it was answered, Unix milliseconds. */
  readonly at: number;
  /** Undefined where Envoy refuses /server_info. */
  readonly info: ServerInfo | undefined;
  /** When `info` was answered, Unix milliseconds. */
  readonly infoAt: number;
  /** All connection managers, idle ones included, as far as Envoy told them. */
  readonly managers: ReadonlySet<string>;
  /** What /clusters told after it; undefined where it was not asked, or failed. */
  readonly hosts?: HostsAnswer | undefined;
  /** Addresses of its listeners, where it was asked for them. */
  readonly listeners?: readonly string[] | undefined;
  /** When the collector, in this life or the one before, last scraped a round; null when it never did. */
  readonly previousRound: number | null;
  /** `told`: `reading` holds everything by zone; `none`: there is nothing by zone; absent: not asked. */
  readonly zones?: 'told' | 'none';
}

export interface TargetMeshOptions extends Omit<IdentitySources, 'info'> {
  readonly rules: NamingRules;
  /** Where all targets are reached; this one adds itself. */
  readonly addresses?: KnownAddresses;
  /** Most stats that may be used of one target. */
  readonly seriesLimit: number;
  /** What an earlier life of the collector stored of this target. */
  readonly stored: StoredTarget | undefined;
  /** The same of its zones. */
  readonly storedZones?: StoredTarget | undefined;
}

/** Turns the answers of one target, one after the other, into observations: names to flows, totals to increments. */
export class TargetMesh {
  private readonly options: TargetMeshOptions;
  private readonly meter: Meter;
  private readonly zones: ZoneMesh;
  private readonly addresses: KnownAddresses;
  private readonly hosts: HostMesh;
  private listeners: readonly string[] = [];
  private planned: Planned | undefined;
  /** By the layouts that are still in use: answers with everything by zone, and those without, take turns. */
  private readonly plans = new WeakMap<StatsLayout, Planned>();

  constructor(options: TargetMeshOptions) {
    this.options = options;
    this.meter = new Meter(options.stored);
    this.zones = new ZoneMesh(options.storedZones);
    this.addresses = options.addresses ?? new KnownAddresses();
    const party = { rules: options.rules, addresses: this.addresses, caller: options.host };
    this.hosts = new HostMesh(party, this.meter.restored);
  }

  /** @throws Error with a reason for the user when the target has more stats than `seriesLimit`. */
  observe(scraped: Scraped): ScrapeFindings {
    const named = identify({ ...this.options, info: scraped.info });
    this.hosts.lookAgain();
    this.planned = this.planOf(scraped, named);
    const { plan } = this.planned;
    const samples = plan.counters.length + plan.gauges.length + plan.histograms.length;
    if (samples > this.options.seriesLimit) {
      throw new Error(
        `${samples} stats to use, more than scrape.series_limit (${this.options.seriesLimit}): raise it, or let Envoy show less (stats_matcher)`,
      );
    }
    const identity = identityOf(named, plan);
    this.beKnown(identity, scraped.listeners);
    let hosts: HostObservation | undefined;
    const metered = this.meter.count(plan, scraped.reading, momentOf(scraped), (counted, when) => {
      const found = this.hosts.observe({ plan, counted, ...when, answer: scraped.hosts });
      hosts = found.hosts;
      return found.flows;
    });
    return {
      observation: { identity, ...metered },
      totals: this.meter.stored(scraped.reading, this.hosts.stored),
      flowTotals: this.meter.flowTotals,
      startedAt: this.meter.startedAt,
      inbound: plan.inbound,
      samples,
      envoyVersion: scraped.info?.version ?? '',
      precision: scraped.precision,
      hosts,
      carriers: [...this.hosts.apart].flatMap(([cluster, carries]) => (carries === 'pass-through' ? [cluster] : [])),
      failureSource: plan.failureSource ?? (this.hosts.tellsFailures ? 'clusters' : 'status'),
      certificateExpiry: earliest(plan.certificateExpiry.map((slot) => scraped.reading.values[slot] ?? 0)),
    };
  }

  /** Whether /clusters is worth asking for often. */
  get wantsClusters(): boolean {
    return this.hosts.adds;
  }

  private beKnown({ service, namespace, role }: Identity, listeners: readonly string[] | undefined): void {
    this.listeners = listeners ?? this.listeners;
    const { address, host } = this.options;
    this.addresses.set(address, { host, listeners: this.listeners, service, namespace, role });
  }

  /**
   * What was told by zone in the answer that {@link observe} took last, if anything; undefined where zones were not
   * asked for, or are more than `seriesLimit`.
   */
  observeZones(scraped: Scraped): ScrapeFindings | undefined {
    const { zones, info } = scraped;
    const moment = momentOf(scraped);
    if (zones === 'none') this.zones.toldNone({ lastScrape: moment.at, startedAt: moment.startedAt });
    if (zones !== 'told' || !this.planned) return undefined;
    const named = identify({ ...this.options, info });
    const { plan, clusters, peerClusters } = this.planned;
    const findings = this.zones.observe({
      reading: scraped.reading,
      moment,
      identity: identityOf(named, plan),
      clusters,
      peerClusters,
      rules: this.options.rules,
      ownZone: info?.zone ?? '',
    });
    if (findings.samples > this.options.seriesLimit) return undefined;
    return {
      ...findings,
      flowTotals: [],
      inbound: plan.inbound,
      envoyVersion: info?.version ?? '',
      precision: scraped.precision,
      failureSource: plan.failureSource ?? 'status',
      certificateExpiry: null,
    };
  }

  private planOf({ reading: { layout }, managers }: Scraped, named: NamedIdentity): Planned {
    const { apart } = this.hosts;
    const madeFor = JSON.stringify([named, [...managers], [...apart.keys()]]);
    const known = this.plans.get(layout);
    if (known?.madeFor === madeFor) return known;
    const { plan, parts } = reasonedPlan({ ...named, layout, managers, apart, rules: this.options.rules });
    const clusters = new ClusterNames();
    for (const name of parts.clusters.keys()) clusters.add(name);
    const planned = { madeFor, plan, clusters, peerClusters: parts.peerClusters };
    this.plans.set(layout, planned);
    return planned;
  }
}

/** A plan, and what the zones' plan needs to know of the same answer. */
interface Planned {
  /** The identity, connection managers and clusters of several services that it was made for. */
  readonly madeFor: string;
  readonly plan: Plan;
  readonly clusters: ClusterNames;
  readonly peerClusters: ReadonlySet<string>;
}

function momentOf({ at, info, infoAt, previousRound }: Scraped): Moment {
  return { at, startedAt: info ? infoAt - info.uptimeSeconds * 1000 : null, previousRound };
}

function identityOf({ labelledRole: _, namedRole: __, ...names }: NamedIdentity, { role }: Plan): Identity {
  return { ...names, role };
}

function earliest(times: readonly number[]): number | null {
  const known = times.filter((time) => time > 0);
  return known.length > 0 ? Math.min(...known) : null;
}
