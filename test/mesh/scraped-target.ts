import type { ServerInfo } from '../../server/envoy/server-info.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import type { HostsAnswer } from '../../server/mesh/host-mesh.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { TargetMesh, type TargetMeshOptions } from '../../server/mesh/target-mesh.ts';
import type { ScrapeFindings, StoredTarget } from '../../server/model/scrape-record.ts';
import { type EnvoyStats, textBody } from '../envoy/stats-body.ts';
import { told } from './faults.ts';

export const ADDRESS = '10.0.0.5:9901';

export interface Answer {
  /** When it was answered, Unix milliseconds. */
  readonly at: number;
  readonly stats: EnvoyStats;
  /** When the process really started; undefined where Envoy refuses to tell. */
  readonly started?: number | undefined;
  readonly previousRound?: number | null;
  readonly managers?: readonly string[];
  readonly hosts?: HostsAnswer;
  readonly listeners?: readonly string[];
  /** Default: always the same. */
  readonly nodeId?: string;
}

/** /server_info of an Envoy that started at `started`, asked at `at`: it tells whole seconds. */
export function infoOf(started: number, at: number): ServerInfo {
  const uptimeSeconds = Math.floor((at - started) / 1000);
  return { version: '1.40.0', uptimeSeconds, nodeId: 'node-1', nodeCluster: 'service_a', region: 'eu', zone: 'eu-1' };
}

/** One target as the collector sees it, over restarts of the collector. */
export class ScrapedTarget {
  private readonly options: Partial<TargetMeshOptions>;
  private mesh: TargetMesh;
  private reader = new TextStatsReader();
  private stored: StoredTarget | undefined;

  constructor(options: Partial<TargetMeshOptions> = {}) {
    this.options = options;
    this.mesh = this.newMesh();
  }

  scrape({
    at,
    stats,
    started,
    previousRound = at - 5000,
    managers = [],
    hosts,
    listeners,
    nodeId,
  }: Answer): ScrapeFindings {
    const findings = this.mesh.observe({
      reading: this.reader.read(textBody(stats)),
      precision: this.reader.precision,
      at,
      info: started === undefined ? undefined : { ...infoOf(started, at), ...(nodeId && { nodeId }) },
      infoAt: at,
      managers: new Set(managers),
      hosts,
      listeners,
      previousRound,
    });
    const { observation, totals, inbound, startedAt } = findings;
    this.stored = { target: ADDRESS, lastScrape: at, startedAt, identity: observation.identity, inbound, totals };
    return findings;
  }

  get wantsClusters(): boolean {
    return this.mesh.wantsClusters;
  }

  /** The collector ends, and another one takes over what the last scrape stored. */
  restartCollector(change: (stored: StoredTarget) => StoredTarget = (stored) => stored): void {
    this.stored = this.stored && change(structuredClone(this.stored));
    this.reader = new TextStatsReader();
    this.mesh = this.newMesh();
  }

  private newMesh(): TargetMesh {
    return new TargetMesh({
      labels: {},
      address: ADDRESS,
      host: '10.0.0.5',
      rules: NO_RULES,
      seriesLimit: 20_000,
      ...this.options,
      stored: this.stored,
    });
  }
}

/** What a scrape counted, by peer or `inbound`; flows without any left out. */
export function countedBy({ observation }: ScrapeFindings): Record<string, string> {
  const flows = observation.flows.map((flow) => [flow.flow.peer || 'inbound', told(flow)] as const);
  return Object.fromEntries(flows.filter(([, text]) => text !== ''));
}

/** What has been counted of all flows so far. */
export function totalsOf({ flowTotals }: ScrapeFindings): Record<string, string> {
  return Object.fromEntries([...flowTotals].map((total) => [total.flow.peer || 'inbound', told(total)]));
}
