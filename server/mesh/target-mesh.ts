import type { ServerInfo } from '../envoy/server-info.ts';
import { clusterNames, mayBeByZone, readStatName } from '../envoy/stat-names.ts';
import type { Precision, StatsLayout, StatsReading } from '../envoy/stats.ts';
import type { Identity } from '../model/flow.ts';
import { FlowTotals } from '../model/flow-totals.ts';
import type { ScrapeFindings } from '../model/scrape-record.ts';
import { type ConnectionFindings, ConnectionMesh } from './connection-mesh.ts';
import { HostMesh, type HostsAnswer } from './host-mesh.ts';
import { IDENTITY_PARTS, type IdentitySources, identify } from './identity.ts';
import { CountError } from './increments.ts';
import { KnownAddresses } from './known-addresses.ts';
import { Meter, type MeterStart, type Moment } from './meter.ts';
import type { NamingRules } from './naming-rules.ts';
import { PartialReadings } from './partial-reading.ts';
import type { Plan } from './plan.ts';
import { PlanCache, type Planned } from './plan-cache.ts';
import type { Totals } from './totals.ts';
import { type ZoneFindings, ZoneMesh } from './zone-mesh.ts';

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
  /** See {@link Moment.keptSince}. */
  readonly keptSince?: number | undefined;
  /** `told`: `reading` holds everything by zone; `none`: there is nothing by zone; absent: not asked. */
  readonly zones?: 'told' | 'none';
  /** The same of how long bare connections lasted. */
  readonly connections?: 'told' | 'none';
}

export interface TargetMeshOptions extends Omit<IdentitySources, 'info'> {
  readonly rules: NamingRules;
  /** Where all targets are reached; this one adds itself. */
  readonly addresses?: KnownAddresses;
  /** Most stats that may be used of one target. */
  readonly seriesLimit: number;
  /** What an earlier life of the collector stored of this target. */
  readonly stored: MeterStart | undefined;
  /** The same of its zones. */
  readonly storedZones?: MeterStart | undefined;
  /** The same of its bare connections. */
  readonly storedConnections?: MeterStart | undefined;
  /** What this life of the collector kept of this target besides, while it was gone. */
  readonly kept?: Pick<PackedMesh, 'node' | 'identity' | 'listeners' | 'hosts'> | undefined;
  /** Plans under these rules, where targets share them. */
  readonly plans?: PlanCache;
}

/** All that is needed of a target that is gone to count on where it was when it comes back. */
export interface PackedMesh extends Pick<TargetMeshOptions, 'stored' | 'storedZones' | 'storedConnections'> {
  /** Who answered there. */
  readonly node: string;
  /** What its flows were told under last. */
  readonly identity: Identity | undefined;
  readonly listeners: readonly string[];
  readonly hosts: HostMesh;
}

/** Of what is only gone on from once. */
type Start = 'stored' | 'storedZones' | 'storedConnections' | 'kept';

/** What follows from the names of a target and of its stats, for as long as those stay. */
interface Outline extends Planned {
  readonly info: ServerInfo | undefined;
  readonly managers: ReadonlySet<string>;
  /** Clusters of several services, and what they carry. */
  readonly apartText: string;
  readonly identity: Identity;
}

const NO_FLOWS = new FlowTotals();

/**
 * What is by zone is counted apart, and told by every other answer only: without it they all have one layout, so that
 * what totals grew by can be told from each to the next.
 */
const NOT_BY_ZONE = new PartialReadings((layout) => {
  const clusters = clusterNames(layout.scalars);
  return (name) => !mayBeByZone(name) || readStatName(name, clusters) !== 'zone';
});

/** Turns the answers of one target, one after the other, into observations: names to flows, totals to increments. */
export class TargetMesh {
  private options: Omit<TargetMeshOptions, Start>;
  private plans: PlanCache;
  private readonly meter: Meter;
  private zones: ZoneMesh;
  private connections: ConnectionMesh;
  private readonly addresses: KnownAddresses;
  private hosts: HostMesh;
  private node: string;
  private nodeOf: ServerInfo | undefined;
  private identity: Identity | undefined;
  private listeners: readonly string[];
  /** By the layouts that are still in use, without what is by zone. */
  private outlines = new WeakMap<StatsLayout, Outline>();

  constructor({ stored, storedZones, storedConnections, kept, ...options }: TargetMeshOptions) {
    this.options = options;
    this.plans = options.plans ?? new PlanCache(options.rules);
    this.meter = new Meter(stored, { keepsFlows: true });
    this.zones = new ZoneMesh(storedZones);
    this.connections = new ConnectionMesh(storedConnections);
    this.addresses = options.addresses ?? new KnownAddresses();
    const restored = this.meter.takeRestored();
    this.hosts = kept?.hosts ?? this.newHosts(restored);
    this.hosts.configure(options.rules);
    this.node = kept?.node ?? '';
    this.identity = kept?.identity;
    this.listeners = kept?.listeners ?? [];
  }

  /** Undefined where nothing was counted yet. */
  packed(): PackedMesh | undefined {
    const { node, identity, listeners, hosts } = this;
    const stored = this.meter.packed();
    const [storedZones, storedConnections] = [this.zones.packed(), this.connections.packed()];
    return stored && { stored, storedZones, storedConnections, node, identity, listeners, hosts };
  }

  private newHosts(restored: Totals | undefined): HostMesh {
    const { rules, host: caller } = this.options;
    return new HostMesh({ rules, addresses: this.addresses, caller }, restored);
  }

  /**
   * Another Envoy answers at the address: what the one before had counted is no part of what this one has. Where it goes
   * by the same labels, the counters of /metrics are the same ones, and never go down.
   */
  private noteNode(info: ServerInfo | undefined): void {
    if (!info?.nodeId || info === this.nodeOf) return;
    this.nodeOf = info;
    const node = JSON.stringify([info.nodeId, info.nodeCluster]);
    const isAnother = this.node !== '' && this.node !== node;
    this.node = node;
    if (!isAnother) return;
    this.meter.beginAnew({ isSame: this.isNamed(info) });
    this.zones = new ZoneMesh(undefined);
    this.connections = new ConnectionMesh(undefined);
    this.hosts = this.newHosts(undefined);
  }

  /** Whether all that its flows are told under stays what it was. */
  private isNamed(info: ServerInfo): boolean {
    const { identity } = this;
    const named = identify({ ...this.options, info });
    return identity !== undefined && IDENTITY_PARTS.every((part) => named[part] === identity[part]);
  }

  /** Other labels, rules or limits from the next scrape on; what was counted stays. */
  configure(changes: Omit<TargetMeshOptions, Start | 'address' | 'host'>): void {
    this.options = { ...this.options, ...changes, fallbackPlace: changes.fallbackPlace };
    this.plans = changes.plans ?? new PlanCache(changes.rules);
    this.outlines = new WeakMap();
    this.hosts.configure(changes.rules);
  }

  /** @throws Error with a reason for the user when the target has more stats than `seriesLimit`. */
  observe(scraped: Scraped): ScrapeFindings {
    const { info } = scraped;
    if (scraped.reading.holds?.() === false)
      throw new Error('the answer was overwritten by another before it was counted');
    const reading = NOT_BY_ZONE.of(scraped.reading);
    this.noteNode(info);
    this.hosts.lookAgain();
    const { plan, identity } = this.outlineOf({ ...scraped, reading });
    this.beKnown(identity, scraped.listeners);
    const metered = this.meter.count(plan, reading, momentOf(scraped), (counted, when) =>
      this.hosts.observe({ plan, counted, ...when, answer: scraped.hosts }),
    );
    return {
      observation: { identity, ...metered },
      totals: this.meter.stored(plan, reading, this.hosts.stored),
      flowTotals: this.meter.flowTotals,
      countedSince: this.meter.flowsSince,
      startedAt: this.meter.startedAt,
      inbound: plan.inbound,
      samples: samplesOf(plan),
      envoyVersion: info?.version ?? '',
      precision: scraped.precision,
      carriers: [...this.hosts.apart].flatMap(([cluster, carries]) => (carries === 'pass-through' ? [cluster] : [])),
      failureSource: plan.failureSource ?? (this.hosts.tellsFailures ? 'clusters' : 'status'),
      certificateExpiry: earliest(plan.certificateExpiry, reading.values),
    };
  }

  /** Whether /clusters is worth asking for often. */
  get wantsClusters(): boolean {
    return this.hosts.adds;
  }

  private beKnown(identity: Identity, listeners: readonly string[] | undefined): void {
    this.identity = identity;
    const { service, namespace, role } = identity;
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
    const outline = this.outlines.get(NOT_BY_ZONE.layoutOf(scraped.reading.layout));
    if (zones !== 'told' || !outline) return undefined;
    const { plan, clusters, peerClusters, identity } = outline;
    const findings = this.zones.observe({
      reading: scraped.reading,
      moment,
      identity,
      clusters,
      peerClusters,
      rules: this.options.rules,
      ownZone: info?.zone ?? '',
    });
    return this.findingsBesides(findings, scraped, plan);
  }

  /**
   * How long the bare connections lasted that ended, as far as the answer that {@link observe} took last tells it;
   * undefined as for zones.
   */
  observeConnections(scraped: Scraped): ScrapeFindings | undefined {
    const { connections, reading } = scraped;
    const moment = momentOf(scraped);
    if (connections === 'none') this.connections.toldNone({ lastScrape: moment.at, startedAt: moment.startedAt });
    const outline = this.outlines.get(NOT_BY_ZONE.layoutOf(reading.layout));
    if (connections !== 'told' || !outline) return undefined;
    const { plan, clusters, connectionFlows: flowOf, identity } = outline;
    const findings = this.connections.observe({ reading, moment, identity, clusters, flowOf });
    return this.findingsBesides(findings, scraped, plan);
  }

  /** Undefined where they are too many. */
  private findingsBesides(
    findings: ZoneFindings | ConnectionFindings,
    { info, precision }: Scraped,
    { inbound, failureSource }: Plan,
  ): ScrapeFindings | undefined {
    if (findings.samples > this.options.seriesLimit) return undefined;
    return {
      ...findings,
      flowTotals: NO_FLOWS,
      countedSince: null,
      inbound,
      envoyVersion: info?.version ?? '',
      precision,
      failureSource: failureSource ?? 'status',
      certificateExpiry: null,
    };
  }

  /** @throws Error with a reason for the user when the target has more stats than `seriesLimit`; all stays as it was. */
  private outlineOf({ reading: { layout }, info, managers }: Scraped): Outline {
    const { apart } = this.hosts;
    const apartText = apart.size === 0 ? '' : JSON.stringify([...apart]);
    const known = this.outlines.get(layout);
    if (known && known.info === info && known.managers === managers && known.apartText === apartText) return known;
    const { labelledRole, namedRole, ...names } = identify({ ...this.options, info });
    const planned = this.plans.planOf({ layout, managers, service: names.service, labelledRole, namedRole, apart });
    checkSamples(samplesOf(planned.plan), this.options.seriesLimit);
    checkOnce(planned.plan, layout);
    checkFlows(this.meter.flowsWith(planned.plan), this.options.seriesLimit);
    const outline = { ...planned, info, managers, apartText, identity: { ...names, role: planned.plan.role } };
    this.outlines.set(layout, outline);
    return outline;
  }
}

function momentOf({ at, info, infoAt, previousRound, keptSince }: Scraped): Moment {
  return { at, startedAt: info ? infoAt - info.uptimeSeconds * 1000 : null, previousRound, keptSince };
}

function samplesOf({ counters, gauges, histograms }: Plan): number {
  return counters.length + gauges.length + histograms.length;
}

function checkSamples(samples: number, limit: number): void {
  if (samples <= limit) return;
  throw new Error(
    `${samples} stats to use, more than scrape.series_limit (${limit}): raise it, or let Envoy show less (stats_matcher)`,
  );
}

/** A peer that is called has so many series at the least. */
const SERIES_PER_PEER = 4;

/** @throws Error when a target calls new peers without end: each is kept for as long as the target is. */
function checkFlows(flows: number, seriesLimit: number): void {
  const most = Math.ceil(seriesLimit / SERIES_PER_PEER);
  if (flows <= most) return;
  throw new Error(
    `${flows} different peers so far, more than ${most}, a quarter of scrape.series_limit: name them by fewer names (peers), or raise it`,
  );
}

/** @throws CountError when a stat that counts is listed twice: counting both would count every request twice. */
function checkOnce({ counters, histograms }: Plan, layout: StatsLayout): void {
  const slots = new Map<string, number>();
  const check = (name: string, slot: number): void => {
    if ((slots.get(name) ?? slot) !== slot)
      throw new CountError(`the answer is not Envoy's /stats: ${name.slice(0, 120)} is listed twice`);
    slots.set(name, slot);
  };
  for (const { slot } of counters) check(layout.scalars[slot] ?? '', slot);
  slots.clear();
  for (const { slot } of histograms) check(layout.histograms[slot] ?? '', slot);
}

/** The smallest of the times in these slots; null when there is none. */
function earliest(slots: readonly number[], values: Float64Array): number | null {
  let first: number | null = null;
  for (const slot of slots) {
    const time = values[slot] ?? 0;
    if (time > 0 && (first === null || time < first)) first = time;
  }
  return first;
}
