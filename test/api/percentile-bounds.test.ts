/** How exact percentiles are told to be: the true ones of raw latencies lie within it, whoever measured them. */

import { expect, onTestFinished, test } from 'vitest';
import { type Random, seededRandom } from '../../examples/meshes/random.ts';
import type { ServiceAnswer, ServicesAnswer } from '../../server/api/contract.ts';
import { BIN_KEYS, BinSum, binOf, bucketKey } from '../../server/model/histogram.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { discovered } from '../live/live-targets.ts';
import { goodScrape } from '../store/records.ts';
import { BASE, INTERVAL, ROUNDS } from './meshes.ts';
import { startApi } from './running-api.ts';

const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Milliseconds, as an application would measure them. */
const DISTRIBUTIONS: Readonly<Record<string, (random: Random) => number>> = {
  lognormal: (random) => Math.exp(3 + normal(random)),
  bimodal: (random) => (random() < 0.93 ? 4 + random() : 2000 + 500 * random()),
  constant: () => 37.4,
  'near zero': (random) => 1.4 * random(),
  huge: (random) => 3_600_000 * (1 + 500 * random()),
};
const SAMPLES = [1, 3, 20, 200, 3000];
/** Where buckets end, in milliseconds, of sources without bins; those of each sidecar are a part of them. */
const EDGES = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
const INSTANCES = ['i0', 'i1', 'i2'];
const PERCENTILES = { p50: 500, p90: 900, p95: 950, p99: 990, p999: 999 } as const;

type Form = 'bins' | 'buckets' | 'some of both';

function binsOf(values: readonly number[], edges: readonly number[] | undefined) {
  const sum = new BinSum();
  for (const value of values) {
    const above = edges?.findIndex((edge) => edge > value) ?? 0;
    const end = above < 0 ? BIN_KEYS : binOf(edges?.[above] ?? 0);
    const begin = above === 0 ? 0 : binOf((above < 0 ? edges?.at(-1) : edges?.[above - 1]) ?? 0);
    sum.add(edges ? bucketKey(begin, end) : binOf(Math.floor(value)), 1);
  }
  return sum.toSparse();
}

interface Measured {
  readonly records: ScrapeRecord[];
  /** Latencies of the round, by instance. */
  readonly raw: Map<string, number[]>[];
}

const FLOWS = {
  server: { direction: 'inbound', source: 'downstream' },
  'its clusters': { direction: 'inbound', source: 'upstream' },
  callers: { direction: 'outbound' },
} as const;

interface Case {
  readonly form: Form;
  readonly vantage: keyof typeof FLOWS;
}

/** A service whose latencies are spread as its name says. */
function measured(random: Random, { form, vantage }: Case, service: string): Measured {
  const latency = DISTRIBUTIONS[service] ?? (() => 0);
  const samples = SAMPLES[Math.floor(random() * SAMPLES.length)] ?? 1;
  const raw: Map<string, number[]>[] = Array.from({ length: ROUNDS }, () => new Map());
  const records: ScrapeRecord[] = [];
  const own = vantage === 'callers' ? `caller of ${service}` : service;
  const edges = INSTANCES.map((_, index) =>
    form === 'bins' || (form === 'some of both' && index === 0) ? undefined : EDGES.filter(() => random() < 0.7),
  );
  for (let sample = 0; sample < samples; sample++) {
    const byInstance = raw[Math.floor(random() * ROUNDS)];
    const instance = INSTANCES[Math.floor(random() * INSTANCES.length)] ?? '';
    byInstance?.set(instance, [...(byInstance.get(instance) ?? []), latency(random)]);
  }
  for (const [round, byInstance] of raw.entries())
    for (const [index, instance] of INSTANCES.entries()) {
      const values = byInstance.get(instance) ?? [];
      const times = { from: BASE + round * INTERVAL, to: BASE + (round + 1) * INTERVAL };
      const flow = { ...FLOWS[vantage], ...(vantage === 'callers' && { peer: service }) };
      const record = goodScrape({
        target: `${service.replaceAll(' ', '-')}.${index}:9901`,
        ...times,
        identity: { service: own, instance },
        flows: [{ ...flow, counters: { '2xx': values.length } }],
      });
      const { observation } = record.findings;
      const flows = observation.flows.map((one) => ({ ...one, bins: binsOf(values, edges[index]) }));
      records.push({ ...record, findings: { ...record.findings, observation: { ...observation, flows } } });
    }
  return { records, raw };
}

type Told = Pick<ServicesAnswer['services'][number], 'latencyMs' | 'latencySamples' | 'precision'>;

function expectWithin({ latencyMs, latencySamples, precision }: Told, raw: readonly number[], of: string): void {
  expect(latencySamples, of).toBe(raw.length);
  const sorted = raw.toSorted((a, b) => a - b);
  const highest = precision.maxRelativeError;
  for (const [name, q] of Object.entries(PERCENTILES)) {
    const told = latencyMs[name as keyof typeof PERCENTILES];
    const exact = sorted[Math.ceil((q * sorted.length) / 1000) - 1];
    if (exact === undefined || told === null) {
      expect([exact, told], of).toEqual([undefined, null]);
      continue;
    }
    const isBound = precision.capped && exact > told * (1 + (highest ?? 0));
    if (isBound) expect(exact, `${name} of ${of}`).toBeGreaterThanOrEqual(told);
    else if (highest !== null)
      expect(Math.abs(exact - told), `${name} of ${of}: ${told} for ${exact}`).toBeLessThanOrEqual(
        highest * told * (1 + 1e-9),
      );
  }
}

const CASES = (['bins', 'buckets', 'some of both'] as const).flatMap((form) =>
  (Object.keys(FLOWS) as (keyof typeof FLOWS)[]).map((vantage) => ({ form, vantage })),
);

test.each(CASES)('$form of $vantage', async ({ form, vantage }) => {
  const random = seededRandom(CASES.findIndex((one) => one.form === form && one.vantage === vantage) + 1);
  const all = Object.keys(DISTRIBUTIONS).map(
    (service) => [service, measured(random, { form, vantage }, service)] as const,
  );
  const records = all.flatMap(([, one]) => one.records).toSorted((a, b) => a.at - b.at);
  const targets = [...new Set(records.map(({ target }) => target))].map((target) => discovered(target));
  const api = await startApi({ targets, records });
  onTestFinished(() => api.stop());
  for (const [service, { raw }] of all)
    for (const rounds of [ROUNDS, 1]) {
      const path = `/api/v1/services/${encodeURIComponent(service)}?window=${(rounds * INTERVAL) / 1000}s`;
      const page = await api.get<ServiceAnswer>(path);
      const values = raw.slice(-rounds);
      const of = `${service} over ${rounds} rounds`;
      const whole = values.flatMap((byInstance) => [...byInstance.values()].flat());
      expectWithin(page, whole, of);
      if (form === 'bins' && service !== 'near zero')
        expect(page.precision.maxRelativeError ?? 0, of).toBeLessThan(0.2);
      for (const one of page.byInstance) {
        const own = values.flatMap((byInstance) => byInstance.get(one.instance) ?? []);
        expectWithin(one, own, `${one.instance}, ${of}`);
      }
    }
});
