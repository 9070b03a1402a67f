/** Whole totals and what they grew by since are the totals as they are, whatever sidecars did in between. */

import { expect, test } from 'vitest';
import { seededRandom } from '../../examples/meshes/random.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { TargetMesh } from '../../server/mesh/target-mesh.ts';
import { decodeTotals } from '../../server/mesh/totals.ts';
import type { KeptTotals } from '../../server/model/scrape-record.ts';
import { BusySidecar } from '../bench/sidecar.ts';
import { FORMS } from '../envoy/five-forms.ts';

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
