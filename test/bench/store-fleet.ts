/** A fleet of sidecars under steady traffic: what they report, round by round. */

import {
  COUNTER_INDEX,
  COUNTERS,
  type FlowIncrement,
  type FlowKey,
  GAUGES,
  type Identity,
} from '../../server/model/flow.ts';
import { FlowTotals } from '../../server/model/flow-totals.ts';
import { GrowthSum } from '../../server/model/growth.ts';
import { binOf, type SparseBins } from '../../server/model/histogram.ts';
import type { ScrapeRecord, StoredTotals } from '../../server/model/scrape-record.ts';

const NO_FLOWS = new FlowTotals();

export interface FleetOptions {
  readonly services: number;
  readonly instances: number;
  readonly peers: number;
  /** Requests per second and flow. */
  readonly rate: number;
}

interface Sidecar {
  readonly target: string;
  readonly identity: Identity;
  readonly flows: readonly FlowKey[];
  /** Names what the numbers go by; as long as those of a real one. */
  readonly shape: string;
  readonly totals: Uint8Array;
  /** Which of its totals were told last. */
  sequence: number;
}

/** Histograms that are drawn from, per service and number of requests. */
const VARIANTS = 40;
/** Bytes of the last totals of a sidecar with ten peers, about, as measured on the simulated fleet. */
const TOTALS_BYTES = 5200;
/** Totals are told as a whole every so many scrapes, about; in between, what they grew by. */
const WHOLE_EVERY = 60;

/** Repeatable numbers from 0 to 1 (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export class Fleet {
  readonly sidecars: readonly Sidecar[];
  private readonly options: FleetOptions;
  private readonly random = randomFrom(7);
  private readonly histograms = new Map<string, SparseBins>();

  constructor(options: FleetOptions) {
    this.options = options;
    this.sidecars = Array.from({ length: options.services * options.instances }, (_, index) => this.sidecar(index));
  }

  get flows(): number {
    return this.sidecars.length * (this.options.peers + 1);
  }

  private sidecar(index: number): Sidecar {
    const { services, instances, peers } = this.options;
    const service = Math.floor(index / instances);
    const region = index % 2 === 0 ? 'eu-west-1' : 'us-east-1';
    const identity: Identity = {
      service: serviceName(service),
      namespace: 'prod',
      instance: `${serviceName(service)}-7d9f8-${index % instances}`,
      region,
      zone: `${region}${index % 4 < 2 ? 'a' : 'b'}`,
      role: 'sidecar',
    };
    const called = Array.from(
      { length: peers },
      (_, peer): FlowKey => ({
        direction: 'outbound',
        peer: serviceName((service + 1 + peer * 7) % services),
        peerNamespace: 'prod',
        source: 'upstream',
      }),
    );
    const flows: FlowKey[] = [{ direction: 'inbound', peer: '', peerNamespace: '', source: 'downstream' }, ...called];
    const totals = Uint8Array.from({ length: TOTALS_BYTES }, () => Math.floor(this.random() * 256));
    return {
      target: `10.${index >> 8}.${index & 255}.1:9901`,
      identity,
      flows,
      shape: `["${service}"]`,
      totals,
      sequence: 0,
    };
  }

  /** What the sidecars from `first` up to `end` tell of `[from, to)`. */
  records(from: number, to: number, [first, end] = [0, this.sidecars.length]): ScrapeRecord[] {
    return this.sidecars.slice(first, end).map((sidecar, index) => this.record(sidecar, first + index, { from, to }));
  }

  private record(sidecar: Sidecar, index: number, { from, to }: { from: number; to: number }): ScrapeRecord {
    const seconds = (to - from) / 1000;
    const flows = sidecar.flows.map((flow, place) => this.increment(flow, { index, place, seconds }));
    return {
      target: sidecar.target,
      at: to,
      durationMs: 3,
      bodyBytes: 90_000,
      error: '',
      findings: {
        observation: { identity: sidecar.identity, from, to, flows },
        totals: this.totals(sidecar, index, flows),
        flowTotals: NO_FLOWS,
        countedSince: null,
        startedAt: null,
        inbound: true,
        samples: 400,
        envoyVersion: '1.40.0',
        precision: 'bins',
        failureSource: 'status',
        certificateExpiry: null,
      },
    };
  }

  /** Growth holds what the flows counted twice: of the flows, and of the stats behind them. */
  private totals(sidecar: Sidecar, index: number, flows: readonly FlowIncrement[]): StoredTotals {
    const { shape } = sidecar;
    const sequence = ++sidecar.sequence;
    if (sequence === 1 || (sequence + index) % WHOLE_EVERY === 0) return { shape, values: sidecar.totals, sequence };
    const growth = new GrowthSum();
    flows.forEach(({ counters, bins }, flow) => {
      growth.histogram(flow, bins);
      growth.bins(flow, bins);
      counters.forEach((count, counter) => {
        if (count === 0) return;
        growth.value(flow * COUNTERS.length + counter, count);
        growth.counter(flow, counter, count);
      });
    });
    return { shape, values: growth.finish(), sequence, isGrowth: true };
  }

  private increment(flow: FlowKey, at: { index: number; place: number; seconds: number }): FlowIncrement {
    const bins = this.bins(
      flow.direction === 'inbound' ? Math.floor(at.index / this.options.instances) : at.place,
      at.seconds,
    );
    let count = 0;
    for (const one of bins.counts) count += one;
    const failed = count > 0 && this.random() < 0.1 * Math.min(1, count / 10) ? 1 : 0;
    const counters = new Float64Array(COUNTERS.length);
    counters[COUNTER_INDEX['2xx']] = count - failed;
    counters[COUNTER_INDEX['5xx']] = failed;
    counters[COUNTER_INDEX.bytes_rx] = count * 400 + Math.floor(this.random() * 100 * count);
    counters[COUNTER_INDEX.bytes_tx] = count * 2000 + Math.floor(this.random() * 1000 * count);
    const gauges = new Float64Array(GAUGES.length);
    gauges[0] = this.options.rate > 0 ? Math.floor(this.random() * 3) : 0;
    gauges[1] = 4;
    return { flow, counters, gauges, bins };
  }

  /** One of several histograms of lognormal latencies with about as many samples as there are requests. */
  private bins(service: number, seconds: number): SparseBins {
    const variant = Math.floor(this.random() * VARIANTS);
    const key = `${service} ${seconds} ${variant}`;
    const known = this.histograms.get(key) ?? this.draw(service, poisson(this.options.rate * seconds, this.random));
    this.histograms.set(key, known);
    return known;
  }

  private draw(service: number, samples: number): SparseBins {
    const counts = new Map<number, number>();
    const median = 5 * 1.05 ** (service % 60);
    for (let i = 0; i < samples; i++) {
      const bin = binOf(Math.floor(median * Math.exp(0.6 * normal(this.random))));
      counts.set(bin, (counts.get(bin) ?? 0) + 1);
    }
    const sorted = [...counts].sort(([a], [b]) => a - b);
    return { keys: sorted.map(([bin]) => bin), counts: sorted.map(([, count]) => count) };
  }
}

export function serviceName(index: number): string {
  return `service-${String(index).padStart(3, '0')}`;
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function poisson(mean: number, random: () => number): number {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}
