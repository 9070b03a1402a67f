import { mayBeByZone } from '../envoy/stat-names.ts';
import type { StatsReading } from '../envoy/stats.ts';
import { NO_STATS } from '../envoy/stats.ts';
import type { Identity } from '../model/flow.ts';
import type { ScrapeFindings } from '../model/scrape-record.ts';
import { Meter, type MeterStart, type Moment } from './meter.ts';
import { PartialReadings } from './partial-reading.ts';
import type { Plan } from './plan.ts';
import { sharedZonePlan, type ZonePlanInput } from './zone-plan.ts';

/** Under which the totals of a target's zones are stored: beside the target, since they are asked for at other times. */
export function zonesKey(target: string): string {
  return `zones of ${target}`;
}

export interface ZoneAnswer extends Omit<ZonePlanInput, 'layout' | 'role'> {
  /** Of all stats of the target, or of those by zone. */
  readonly reading: StatsReading;
  readonly identity: Identity;
  readonly moment: Moment;
}

/** What a zone request found out: all of a good scrape's findings that zones have. */
export type ZoneFindings = Pick<ScrapeFindings, 'observation' | 'totals' | 'startedAt' | 'samples'>;

const BY_ZONE = new PartialReadings(() => mayBeByZone);

/** Turns what one target tells by zone into observations. */
export class ZoneMesh {
  private readonly meter: Meter;
  private plan: Plan | undefined;
  private planFor: readonly unknown[] = [];

  /** `stored`: of the zones. */
  constructor(stored: MeterStart | undefined) {
    this.meter = new Meter(stored, { keepsFlows: false });
    this.meter.takeRestored();
  }

  /** Where another one goes on from. */
  packed(): MeterStart | undefined {
    return this.meter.packed();
  }

  /** The target had no request by zone at that time: what it tells later has happened since. */
  toldNone({ lastScrape, startedAt }: Pick<MeterStart, 'lastScrape' | 'startedAt'>): void {
    this.meter.goOnFrom(NO_STATS, { lastScrape, startedAt });
  }

  observe(answer: ZoneAnswer): ZoneFindings {
    const { identity, moment, ownZone } = answer;
    const reading = BY_ZONE.of(answer.reading);
    const plan = this.planOf({ ...answer, reading });
    const observation = {
      identity: { ...identity, zone: identity.zone || ownZone },
      ...this.meter.count(plan, reading, moment),
    };
    return {
      observation,
      totals: this.meter.stored(plan, reading),
      startedAt: this.meter.startedAt,
      samples: plan.counters.length + plan.histograms.length,
    };
  }

  private planOf({ reading: { layout }, clusters, peerClusters, rules, ownZone, identity }: ZoneAnswer): Plan {
    const madeFrom = [layout, clusters, ownZone];
    if (this.plan && madeFrom.every((part, index) => part === this.planFor[index])) return this.plan;
    this.planFor = madeFrom;
    this.plan = sharedZonePlan({ layout, clusters, peerClusters, rules, ownZone, role: identity.role });
    return this.plan;
  }
}
