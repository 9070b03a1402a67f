/** History that has gone through every tier: the same counts and bins from each, whatever was forgotten in between. */

import { describe, expect, test } from 'vitest';
import { requestCount } from '../../server/model/flow.ts';
import { quantile } from '../../server/model/histogram.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import type { SeriesLabel, Store, SumQuery } from '../../server/store/store.ts';
import { allUpkeep, type Engine, opened, START } from './conformance-engine.ts';
import { goodScrape } from './records.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HOURS = 30;
const END = START + HOURS * HOUR;
const RETENTION = { raw: 2 * HOUR, '1m': 5 * HOUR, '10m': 14 * HOUR, '1h': 400 * 24 * HOUR };

interface Instance {
  readonly target: string;
  readonly service: string;
  readonly region: string;
  /** Requests per minute. */
  readonly rate: number;
  /** Latency in milliseconds of its calls. */
  readonly latency: number;
}

const INSTANCES: readonly Instance[] = [
  { target: 'a1', service: 'a', region: 'eu', rate: 7, latency: 12 },
  { target: 'a2', service: 'a', region: 'us', rate: 11, latency: 45 },
  { target: 'b1', service: 'b', region: 'eu', rate: 3, latency: 150 },
];

function roundAt(minute: number): ScrapeRecord[] {
  return INSTANCES.map(({ target, service, region, rate, latency }) =>
    goodScrape({
      target,
      from: START + minute * MINUTE,
      to: START + (minute + 1) * MINUTE,
      identity: { service, instance: target, region, zone: `${region}-1` },
      flows: [
        { counters: { '2xx': rate, '5xx': minute % 10 === 0 ? 1 : 0 }, latency: { [latency]: rate } },
        { direction: 'outbound', peer: 'db', counters: { '2xx': 2 * rate }, latency: { 3: 2 * rate } },
      ],
    }),
  );
}

async function history(store: Store): Promise<void> {
  for (let minute = 0; minute < HOURS * 60; minute++) {
    await store.append(roundAt(minute));
    if (minute % 60 === 59) await allUpkeep(store, START + (minute + 1) * MINUTE);
  }
}

interface Ask {
  readonly name: string;
  /** Hours after the start. */
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
}

const ASKED: readonly Ask[] = [
  { name: 'everything in one cell', from: 0, to: 30, stepMs: 30 * HOUR },
  { name: 'everything by the hour', from: 0, to: 30, stepMs: HOUR },
  { name: 'the last ten hours by ten minutes', from: 20, to: 30, stepMs: 10 * MINUTE },
  { name: 'the last three hours by the minute', from: 27, to: 30, stepMs: MINUTE },
  { name: 'a day in the past by three hours', from: 3, to: 27, stepMs: 3 * HOUR },
  { name: 'two hours across the border of a tier', from: 24, to: 26, stepMs: 10 * MINUTE },
];

const GROUPINGS: readonly (readonly SeriesLabel[])[] = [[], ['service'], ['service', 'region'], ['zone']];

/** Requests of one cell by group, as they were put in. */
function truth({ direction, by }: SumQuery, minutes: readonly number[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { service, region, rate } of INSTANCES) {
    const labels: Partial<Record<SeriesLabel, string>> = { service, region, zone: `${region}-1` };
    const key = by.map((label) => labels[label]).join('/');
    const failed = direction === 'inbound' ? minutes.filter((minute) => minute % 10 === 0).length : 0;
    const count = (direction === 'inbound' ? rate : 2 * rate) * minutes.length;
    sums[key] = (sums[key] ?? 0) + count + failed;
  }
  return sums;
}

export function describeTiers(engine: Engine): void {
  describe('thirty hours of history through every tier', () => {
    test('counts, bins and percentiles are those that were put in', { timeout: 120_000 }, async () => {
      const one = await opened(engine, { intervalMs: MINUTE, retentionMs: RETENTION });
      await history(one.store);
      await check(one.store);
      await check(await one.again());
      const { tiers, oldest } = await one.store.status();
      expect(oldest).toBe(START);
      for (const { name, newest } of tiers) expect(newest, name).not.toBeNull();
      const hours = tiers.map(({ oldest: from }) => (END - (from ?? END)) / HOUR);
      expect(hours[3]).toBe(HOURS);
      expect(hours[0]).toBeLessThan(hours[3] ?? 0);
    });
  });
}

async function check(store: Store): Promise<void> {
  for (const { name, from, to, stepMs } of ASKED)
    for (const by of GROUPINGS)
      for (const direction of ['inbound', 'outbound'] as const) {
        const query: SumQuery = {
          from: START + from * HOUR,
          to: START + to * HOUR,
          stepMs,
          direction,
          match: {},
          by,
          bins: true,
        };
        await checkQuery(store, query, `${name}, ${direction} by ${by.join(',') || 'nothing'}`);
      }
}

async function checkQuery(store: Store, query: SumQuery, name: string): Promise<void> {
  const { groups, tiers } = await store.sums(query);
  expect(tiers.length, name).toBeGreaterThan(0);
  const { stepMs = HOUR } = query;
  const count = Math.ceil((query.to - query.from) / stepMs);
  const asked = await store.sums({ ...query, quantiles: [0.5, 0.99] });
  const quantilesOf = new Map(
    asked.groups.map(({ labels, cells }) => [query.by.map((l) => labels[l]).join('/'), cells]),
  );
  for (let index = 0; index < count; index++) {
    const first = (query.from - START) / MINUTE + (index * stepMs) / MINUTE;
    const minutes = Array.from({ length: stepMs / MINUTE }, (_, i) => first + i);
    const found = Object.fromEntries(
      groups.map(({ labels, cells }) => [
        query.by.map((label) => labels[label]).join('/'),
        requestCount(cells[index]?.counters ?? []),
      ]),
    );
    expect(found, `${name}, cell ${index}`).toEqual(truth(query, minutes));
  }
  for (const { labels, cells } of groups) {
    const given = quantilesOf.get(query.by.map((label) => labels[label]).join('/'));
    cells.forEach((cell, index) => {
      const merged = [0.5, 0.99].map((q) => cell && quantile(cell.bins, q, cell.timeoutsWithoutSample).valueMs);
      expect(
        given?.[index]?.quantiles.map(({ valueMs }) => valueMs),
        `${name}, cell ${index}`,
      ).toEqual(merged);
    });
  }
}
