/** Whole totals and what they grew by since are the totals as they are, whatever sidecars did in between. */

import { expect, test } from 'vitest';
import { seededRandom } from '../../examples/meshes/random.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { TargetMesh } from '../../server/mesh/target-mesh.ts';
import { decodeTotals } from '../../server/mesh/totals.ts';
import type { KeptTotals } from '../../server/model/scrape-record.ts';
import { BusySidecar } from '../bench/sidecar.ts';
import { FORMS } from '../envoy/five-forms.ts';
import { textBody } from '../envoy/stats-body.ts';

const START = Date.UTC(2030, 0, 1);
const INTERVAL_MS = 10_000;
const MANAGERS = new Set(['ingress_http', 'egress_http', 'ingress_https', 'admin']);

/** One sidecar, told of by two meshes: one tells growth, the other all of its totals each time. */
class TwoTellings {
  private sidecar = this.newSidecar(1);
  private readonly meshes = [this.newMesh(), this.newMesh()] as const;
  private scrapes = 0;
  private kept: { shape: string; values: Uint8Array; growth: Uint8Array[] } | undefined;
  /** Scrapes whose totals were told as growth. */
  grown = 0;
  keptSince = 0;

  private newSidecar(seed: number): BusySidecar {
    const sidecar = new BusySidecar(seededRandom(seed));
    sidecar.serve(300);
    return sidecar;
  }

  private newMesh() {
    const options = { labels: { service: 'checkout' }, address: '10.0.0.5:9901', host: '10.0.0.5', rules: NO_RULES };
    const mesh = new TargetMesh({ ...options, seriesLimit: 20_000, stored: undefined });
    return { mesh, reader: FORMS.text.reader(true) };
  }

  restart(): void {
    this.sidecar = this.newSidecar(2);
  }

  scrape(requests: number): KeptTotals {
    this.sidecar.serve(requests);
    const body = FORMS.text.render(this.sidecar.moment());
    const at = START + ++this.scrapes * INTERVAL_MS;
    const [growing, whole] = this.meshes.map(({ mesh, reader }, index) => {
      const reading = reader.lend(body);
      const scraped = { reading, precision: 'bins' as const, at, info: undefined, infoAt: at, managers: MANAGERS };
      const keptSince = index === 0 ? this.keptSince : undefined;
      return mesh.observe({ ...scraped, previousRound: at - INTERVAL_MS, keptSince }).totals;
    });
    if (!growing || !whole) throw new Error('nothing was told');
    if (!growing.isGrowth) this.kept = { shape: growing.shape, values: growing.values.slice(), growth: [] };
    else this.kept?.growth.push(growing.values.slice());
    if (growing.isGrowth) this.grown++;
    return { shape: whole.shape, values: whole.values.slice() };
  }

  get told(): KeptTotals {
    if (!this.kept) throw new Error('nothing was told');
    return this.kept;
  }
}

test('growth adds up to the totals, over scrapes with and without traffic and a restart, and is told anew now and then', () => {
  const telling = new TwoTellings();
  for (let scrape = 0; scrape < 100; scrape++) {
    if (scrape === 40) telling.restart();
    const whole = telling.scrape(scrape % 7 === 0 ? 0 : scrape % 5);
    expect(decodeTotals(telling.told), `scrape ${scrape}`).toEqual(decodeTotals(whole));
  }
  expect(telling.grown).toBeGreaterThan(90);
  expect(telling.grown).toBeLessThan(98);
});

test('whole totals are told as soon as others may not have been kept', () => {
  const telling = new TwoTellings();
  for (let scrape = 0; scrape < 3; scrape++) telling.scrape(1);
  telling.keptSince++;
  const whole = telling.scrape(1);
  expect(telling.told).toMatchObject({ growth: [] });
  expect(decodeTotals(telling.told)).toEqual(decodeTotals(whole));
});

test('growth takes a small part of what whole totals take', () => {
  const telling = new TwoTellings();
  telling.scrape(1);
  const { values } = telling.scrape(1);
  expect(telling.told.growth).toHaveLength(1);
  expect(telling.told.growth?.[0]?.length).toBeLessThan(values.length / 5);
});

test('growth that tells of something that is not there makes a baseline', () => {
  const telling = new TwoTellings();
  telling.scrape(1);
  expect(decodeTotals({ ...telling.told, growth: [Uint8Array.of(255, 255, 127, 2, 0, 0, 0)] })).toBeUndefined();
});

const CLUSTER = 'cluster.cart';
/** Answers with and without what is by zone, as they take turns, and hosts now and then. */
function answerOf(round: number) {
  const hasZones = round % 4 === 3;
  const byZone = {
    [`${CLUSTER}.zone.a.b.upstream_rq_completed`]: round,
    [`${CLUSTER}.zone.a.b.upstream_rq_2xx`]: round,
  };
  const stats = {
    scalars: {
      [`${CLUSTER}.membership_total`]: 2,
      [`${CLUSTER}.upstream_rq_completed`]: round * 3,
      [`${CLUSTER}.upstream_rq_2xx`]: round * 3,
      ...(hasZones ? byZone : {}),
    },
    histograms: {
      [`${CLUSTER}.upstream_rq_time`]: { 20: round * 3 },
      ...(hasZones ? { [`${CLUSTER}.zone.a.b.upstream_rq_time`]: { 20: round } } : {}),
    },
  };
  const host = (at: number, share: number) => {
    const success = round * share;
    return { address: `10.1.0.${at}:80`, hostname: '', region: '', zone: '', total: success, success, error: 0 };
  };
  const hosts = { clusters: [{ cluster: 'cart', hosts: [host(1, 1), host(2, 2)] }] };
  return { body: textBody(stats), ...(round % 5 === 1 ? { hosts } : {}) };
}

test('growth is told from each answer to the next, those with zones and those after hosts were read among them', () => {
  const reader = { plain: new TextStatsReader(), zones: new TextStatsReader() };
  const meshes = [0, undefined].map((keptSince) => {
    const names = { labels: {}, address: '10.0.0.5:9901', host: '10.0.0.5', rules: NO_RULES };
    return { mesh: new TargetMesh({ ...names, seriesLimit: 1000, stored: undefined }), keptSince };
  });
  let kept: { shape: string; values: Uint8Array; growth: Uint8Array[] } | undefined;
  const told: boolean[] = [];
  for (let round = 1; round <= 24; round++) {
    const { body, hosts } = answerOf(round);
    const at = START + round * INTERVAL_MS;
    const [growing, whole] = meshes.map(({ mesh, keptSince }) => {
      const reading = (round % 4 === 3 ? reader.zones : reader.plain).lend(body);
      const scraped = { reading, precision: 'bins' as const, at, info: undefined, infoAt: at, managers: MANAGERS };
      return mesh.observe({ ...scraped, hosts, previousRound: at - INTERVAL_MS, keptSince }).totals;
    });
    if (!growing || !whole) throw new Error('nothing was told');
    if (growing.isGrowth) kept?.growth.push(growing.values.slice());
    else kept = { shape: growing.shape, values: growing.values.slice(), growth: [] };
    told.push(growing.isGrowth ?? false);
    expect(kept && decodeTotals(kept), `round ${round}`).toEqual(
      decodeTotals({ ...whole, values: whole.values.slice() }),
    );
  }
  expect(told.slice(1)).toEqual(told.slice(1).map(() => true));
});
