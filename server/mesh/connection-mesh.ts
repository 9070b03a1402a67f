import { CONNECTION_LENGTH } from '../envoy/bare-clusters.ts';
import type { ClusterNames } from '../envoy/cluster-names.ts';
import { NO_STATS, type StatsReading } from '../envoy/stats.ts';
import type { FlowKey, Identity } from '../model/flow.ts';
import type { ScrapeFindings } from '../model/scrape-record.ts';
import { compileConnectionPlan } from './connection-plan.ts';
import { Meter, type MeterStart, type Moment } from './meter.ts';
import { PartialReadings } from './partial-reading.ts';
import type { Plan } from './plan.ts';

/** Under which the totals of a target's connections are stored: beside the target, since they are not asked for at first. */
export function connectionsKey(target: string): string {
  return `connections of ${target}`;
}

export interface ConnectionAnswer {
  /** Of all stats of the target. */
  readonly reading: StatsReading;
  readonly identity: Identity;
  readonly moment: Moment;
  readonly clusters: ClusterNames;
  readonly flowOf: ReadonlyMap<string, FlowKey>;
}

/** What was found out of how long bare connections lasted: all of a good scrape's findings that they have. */
export type ConnectionFindings = Pick<ScrapeFindings, 'observation' | 'totals' | 'startedAt' | 'samples'>;

const LENGTHS = new PartialReadings(() => (name) => name.endsWith(`.${CONNECTION_LENGTH}`));

/** Turns what one target tells of how long bare connections lasted into observations. */
export class ConnectionMesh {
  private readonly meter: Meter;
  private plan: Plan | undefined;
  private planFor: readonly unknown[] = [];

  /** `stored`: of the connections. */
  constructor(stored: MeterStart | undefined) {
    this.meter = new Meter(stored, { keepsFlows: false });
    this.meter.takeRestored();
  }

  /** Where another one goes on from. */
  packed(): MeterStart | undefined {
    return this.meter.packed();
  }

  /** The target had no bare connection until then: what it tells later has happened since. */
  toldNone({ lastScrape, startedAt }: Pick<MeterStart, 'lastScrape' | 'startedAt'>): void {
    this.meter.goOnFrom(NO_STATS, { lastScrape, startedAt });
  }

  observe({ reading: whole, identity, moment, clusters, flowOf }: ConnectionAnswer): ConnectionFindings {
    const reading = LENGTHS.of(whole);
    const plan = this.planOf({ reading, identity, clusters, flowOf });
    return {
      observation: { identity, ...this.meter.count(plan, reading, moment) },
      totals: this.meter.stored(plan, reading),
      startedAt: this.meter.startedAt,
      samples: plan.histograms.length,
    };
  }

  private planOf({ reading: { layout }, identity, clusters, flowOf }: Omit<ConnectionAnswer, 'moment'>): Plan {
    const madeFrom = [layout, clusters, flowOf, identity.role];
    if (this.plan && madeFrom.every((part, index) => part === this.planFor[index])) return this.plan;
    this.planFor = madeFrom;
    this.plan = compileConnectionPlan({ layout, clusters, flowOf, role: identity.role });
    return this.plan;
  }
}
