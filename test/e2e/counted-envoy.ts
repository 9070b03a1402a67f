import { expect, vi } from 'vitest';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { TargetMesh } from '../../server/mesh/target-mesh.ts';
import type { FlowIncrement } from '../../server/model/flow.ts';
import { BinSum } from '../../server/model/histogram.ts';
import type { Labels } from '../../server/model/labels.ts';
import { parseTargetAddress } from '../../server/model/target.ts';
import { AdminClient } from '../../server/scrape/admin-client.ts';
import { TargetScraper } from '../../server/scrape/target-scraper.ts';
import { told } from '../mesh/faults.ts';

/** By the called service, or `inbound`; what counted nothing is left out. */
export type Counted = Readonly<Record<string, string>>;

const SETTLE_MS = 40_000;

/** A real Envoy scraped as the collector scrapes it, whenever asked to. */
export class CountedEnvoy {
  private readonly client: AdminClient;
  private readonly scraper: TargetScraper;
  private readonly mesh: TargetMesh;

  constructor(admin: string, labels: Labels) {
    const parsed = parseTargetAddress(admin);
    if (!parsed.ok) throw new Error(`no address: ${admin}`);
    this.client = new AdminClient({
      address: parsed.address,
      timeoutMs: 5_000,
      bodyLimitBytes: 2 ** 25,
      now: Date.now,
    });
    this.scraper = new TargetScraper(this.client);
    this.mesh = new TargetMesh({
      labels,
      address: admin,
      host: '127.0.0.1',
      rules: NO_RULES,
      seriesLimit: 20_000,
      stored: undefined,
    });
  }

  /** What happened since the scrape before; the first one is the baseline. */
  async scrape(): Promise<readonly FlowIncrement[]> {
    return this.mesh.observe({ ...(await this.scraper.scrape()), previousRound: null }).observation.flows;
  }

  /** Scrapes until what has happened since is exactly `expected`: Envoy's histograms lag behind by a flush. */
  async expectSince(expected: Counted): Promise<void> {
    const sums = new Map<string, { increment: FlowIncrement; bins: BinSum }>();
    await vi.waitFor(
      async () => {
        for (const increment of await this.scrape()) addTo(sums, increment);
        const flows = [...sums].map(([name, { increment, bins }]) => [
          name,
          told({ ...increment, bins: bins.toSparse() }),
        ]);
        expect(Object.fromEntries(flows.filter(([, text]) => text !== ''))).toEqual(expected);
      },
      { timeout: SETTLE_MS, interval: 30 },
    );
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

function addTo(sums: Map<string, { increment: FlowIncrement; bins: BinSum }>, one: FlowIncrement): void {
  const name = one.flow.direction === 'inbound' ? 'inbound' : one.flow.peer;
  const sum = sums.get(name) ?? {
    increment: { ...one, counters: new Float64Array(one.counters.length) },
    bins: new BinSum(),
  };
  sums.set(name, sum);
  one.counters.forEach((count, index) => {
    sum.increment.counters[index] = (sum.increment.counters[index] ?? 0) + count;
  });
  sum.bins.addBins(one.bins);
}
