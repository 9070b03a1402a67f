/** From live figures to messages and back: what a receiver gets is what /metrics tells at that moment. */

import fc from 'fast-check';
import { compressSync } from 'snappy';
import { describe, expect, test } from 'vitest';
import type { CollectorFamily } from '../../../server/exporter/collector-families.ts';
import { LabelSet } from '../../../server/exporter/families.ts';
import { wholeHistogramOf } from '../../../server/exporter/native-histogram.ts';
import type { Round } from '../../../server/exporter/remote-write/round.ts';
import { RoundReader } from '../../../server/exporter/remote-write/round-reader.ts';
import { RoundWriter } from '../../../server/exporter/remote-write/round-writer.ts';
import { SeriesTable } from '../../../server/exporter/remote-write/series-table.ts';
import { RoundTaker, type RoundTakerOptions } from '../../../server/exporter/remote-write/take-round.ts';
import { compileSampleFilter } from '../../../server/exporter/sample-filter.ts';
import type { LiveTarget } from '../../../server/live/live.ts';
import { liveWith } from '../../live/live-targets.ts';
import { binsOf, goodScrape } from '../../store/records.ts';
import { rendered } from '../rendered.ts';
import { type DecodedSeries, decodedRequest, keyOfSeries } from './decoded.ts';

/** A writer's records read at once. */
class Pipe {
  readonly writer = new RoundWriter();
  readonly reader = new RoundReader();
  readonly records: Uint8Array[] = [];
  private hasBegun = false;

  /** What a receiver gets of a round, in messages of two samples. */
  pass(round: Round, isFirst = false): DecodedSeries[] {
    const first = isFirst || !this.hasBegun || round.isFresh;
    this.hasBegun = true;
    this.writer.take(round);
    const record = this.writer.encode(first);
    this.writer.done();
    if (first) this.records.length = 0;
    this.records.push(record);
    this.reader.read(record, first);
    return messagesOf(this.reader, { from: 0, most: 2 });
  }
}

function messagesOf(reader: RoundReader, range: { from: number; most: number }): DecodedSeries[] {
  const all: DecodedSeries[] = [];
  for (const { body, samples } of reader.messages(range)) {
    const { series } = decodedRequest(compressSync(body));
    expect(series).toHaveLength(samples);
    all.push(...series);
  }
  return all;
}

type Told = Record<string, DecodedSeries['value']>;
const told = (series: readonly DecodedSeries[]): Told =>
  Object.fromEntries(series.map((one) => [keyOfSeries(one), one.value]));

const NAMES = ['a_total', 'b_seconds'];
const SETS = [{ service: 'shop' }, { service: 'shop', zone: 'z"\n' }, { Region: 'eu', service: 'ü' }, {}];
const state = fc.array(
  fc.record({ name: fc.nat(1), extra: fc.nat(2), set: fc.nat(3), value: fc.double({ noNaN: true }) }),
  { maxLength: 12 },
);

function roundOf(table: SeriesTable, samples: typeof state extends fc.Arbitrary<infer S> ? S : never, at: number) {
  const expected: Told = {};
  table.begin();
  for (const { name, extra, set, value } of samples) {
    const labels = new LabelSet(SETS[set] ?? {});
    const column = table.column(NAMES[name] ?? '', extra === 0 ? undefined : ['le', String(extra)]);
    table.value(column, labels, value);
    const pairs = Object.entries({ ...labels.labels, __name__: NAMES[name], ...(extra && { le: String(extra) }) });
    pairs.sort(([a], [b]) => (a < b ? -1 : 1));
    expected[pairs.map(([label, text]) => `${label}=${JSON.stringify(text)}`).join(',')] = value;
  }
  return { round: table.finish(at, true), expected };
}

test('every value arrives bit by bit under sorted labels, and once a series is missing its end', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ samples: state, cut: fc.boolean(), restart: fc.boolean(), fresh: fc.boolean() })),
      (rounds) => {
        let pipe = new Pipe();
        let table = new SeriesTable({ seriesLimit: 100, externalLabels: {} });
        let before: Told = {};
        for (const [at, { samples, cut, restart, fresh }] of rounds.entries()) {
          if (restart) {
            const next = new Pipe();
            next.writer.recover(pipe.records);
            pipe = next;
          }
          if (restart || fresh) table = new SeriesTable({ seriesLimit: 100, externalLabels: {} });
          const { round, expected } = roundOf(table, samples, 1_700_000_000_000 + at);
          const gone = Object.keys(before).filter((key) => !(key in expected));
          const series = pipe.pass(round, cut);
          expect(new Set(series.map((one) => one.at))).toEqual(
            new Set(series.length > 0 ? [1_700_000_000_000 + at] : []),
          );
          expect(series.map(keyOfSeries).sort()).toEqual([...Object.keys(expected), ...gone].sort());
          const got = told(series);
          for (const key of gone) expect(got[key]).toBe('stale');
          for (const [key, value] of Object.entries(expected)) expect(Object.is(got[key], value)).toBe(true);
          before = expected;
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('after a restart nothing is told to be gone before all targets have been asked', () => {
  const first = new Pipe();
  const taking = (samples: Parameters<typeof roundOf>[1], isSettled: boolean, table: SeriesTable, at: number) => ({
    ...roundOf(table, samples, at).round,
    isSettled,
  });
  const newTable = () => new SeriesTable({ seriesLimit: 100, externalLabels: {} });
  const [a, b, c] = [0, 1, 3].map((set) => ({ name: 0, extra: 0, set, value: set + 5 }));
  if (!a || !b || !c) throw new Error('three series');
  first.pass(taking([a, b, c], true, newTable(), 1));
  const second = new Pipe();
  second.writer.recover(first.records);
  const table = newTable();
  const values = (series: readonly DecodedSeries[]) => series.map(({ value }) => value).sort();
  expect(values(second.pass(taking([a], false, table, 2)))).toEqual([5]);
  expect(values(second.pass(taking([a, b], true, table, 3)))).toEqual([5, 6, 'stale']);
  expect(values(second.pass(taking([a, b], true, table, 4)))).toEqual([5, 6]);
});

test('messages go on from where a record was left', () => {
  const pipe = new Pipe();
  const samples = [0, 1, 2, 3].map((set) => ({ name: 0, extra: 0, set, value: set }));
  const all = pipe.pass(roundOf(new SeriesTable({ seriesLimit: 9, externalLabels: {} }), samples, 1).round);
  expect(messagesOf(pipe.reader, { from: 3, most: 2 })).toEqual(all.slice(3));
});

test('more series than there may be are refused with what would do', () => {
  const samples = [0, 1, 2, 3].map((set) => ({ name: 0, extra: 0, set, value: set }));
  expect(() => roundOf(new SeriesTable({ seriesLimit: 3, externalLabels: {} }), samples, 1)).toThrow(
    'there are more than 3 series (exporter.series_limit): raise it',
  );
});

const scrape = (target: string, latency: Record<number, number>) =>
  goodScrape({
    target,
    from: 0,
    to: 1000,
    identity: { service: 'shop', instance: `${target} "\n\\ü` },
    flows: [
      { counters: { '2xx': 3, timeout: 1 }, latency, gauges: { active_requests: 2 } },
      { direction: 'outbound', peer: 'cart', counters: { '2xx': 2 ** 53 }, latency },
    ],
  });

const OWN: readonly CollectorFamily[] = [
  { name: 'sidelight_scrapes_total', help: 'S.', type: 'counter', values: [{ value: 3, labels: { result: 'good' } }] },
  {
    name: 'sidelight_took_seconds',
    help: 'T.',
    type: 'histogram',
    values: [
      { value: Number.NaN, labels: { le: 0.5 }, metricName: 'sidelight_took_seconds_bucket' },
      { value: 1, labels: { le: 1 }, metricName: 'sidelight_took_seconds_bucket' },
      { value: 2, labels: { le: '+Inf' }, metricName: 'sidelight_took_seconds_bucket' },
      { value: 4, labels: {}, metricName: 'sidelight_took_seconds_sum' },
    ],
  },
];

const options: RoundTakerOptions = {
  level: 'instance',
  buckets: [0.01, 1],
  seriesLimit: 1000,
  filter: () => true,
  isNative: false,
  externalLabels: {},
  ownLabels: { job: 'sidelight', instance: 'here:9191' },
};

function taken(taker: RoundTaker, targets: readonly LiveTarget[], own = OWN): Round {
  const work = taker.take({ targets, isComplete: true, own, at: 1000 });
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

describe('a round of live figures', () => {
  const live = liveWith([scrape('10.0.0.1:9901', { 20: 3 }), scrape('10.0.0.2:9901', { 0: 1, 700: 3 })]);

  test('is what /metrics tells in OpenMetrics', () => {
    const series = new Pipe().pass(taken(new RoundTaker(options), live.all(), []));
    const lines = series.map(({ labels, value }) => {
      const { __name__, ...others } = Object.fromEntries(labels);
      return `${__name__} ${JSON.stringify(Object.entries(others).sort())} ${value}`;
    });
    const text = rendered(live.all(), { ...options, format: 'openmetrics' });
    const shown = [...text.matchAll(/^([a-z_]+)\{(.*)\} (\S+)$/gm)].map(([, name, labels = '', value]) => {
      const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', escaped = '']) => [
        label,
        escaped.replaceAll('\\n', '\n').replaceAll('\\"', '"').replaceAll('\\\\', '\\'),
      ]);
      return `${name} ${JSON.stringify(pairs.sort())} ${value}`;
    });
    expect(lines.length).toBeGreaterThan(60);
    expect(lines.sort()).toEqual(shown.sort());
  });

  test('has the collector’s own figures, under labels that tell collectors apart', () => {
    const keys = Object.entries(told(new Pipe().pass(taken(new RoundTaker(options), []))));
    expect(keys.map(([key, value]) => `${key} ${value}`).sort()).toEqual([
      '__name__="sidelight_scrapes_total",instance="here:9191",job="sidelight",result="good" 3',
      '__name__="sidelight_took_seconds_bucket",instance="here:9191",job="sidelight",le="+Inf" 2',
      '__name__="sidelight_took_seconds_bucket",instance="here:9191",job="sidelight",le="1.0" 1',
      '__name__="sidelight_took_seconds_sum",instance="here:9191",job="sidelight" 4',
    ]);
  });

  test('keeps and drops by metric and label', () => {
    const filter = compileSampleFilter({
      keep: [
        { metric: 'mesh_requests_total', labels: {} },
        { metric: 'sidelight_scrapes.*', labels: {} },
      ],
      drop: [{ labels: { direction: 'outbound' } }, { labels: { code_class: '[345]xx' } }],
    });
    const keys = Object.keys(told(new Pipe().pass(taken(new RoundTaker({ ...options, filter }), live.all()))));
    expect(keys.filter((key) => key.includes('mesh_requests_total'))).toHaveLength(2);
    expect(keys).toHaveLength(3);
  });

  test('external labels are added where there is none of that name', () => {
    const taker = new RoundTaker({ ...options, externalLabels: { Cluster: 'a', service: 'other', empty: '' } });
    const [first] = new Pipe().pass(taken(taker, live.all(), []));
    const labels = first?.labels ?? [];
    expect(labels.map(([name]) => name)).toEqual(labels.map(([name]) => name).toSorted());
    expect(labels).toContainEqual(['Cluster', 'a']);
    expect(labels).toContainEqual(['service', 'shop']);
    expect(labels.map(([name]) => name)).not.toContain('empty');
  });

  test('has native histograms in place of buckets, and their ends', () => {
    const pipe = new Pipe();
    const taker = new RoundTaker({ ...options, isNative: true });
    const series = pipe.pass(taken(taker, live.all(), []));
    const histograms = series.filter(({ value }) => typeof value === 'object');
    expect(Object.keys(told(series)).filter((key) => /_bucket|_seconds_(sum|count)"/.test(key))).toEqual([]);
    const { buckets, zeroCount } = wholeHistogramOf(binsOf({ 0: 1, 700: 3 }));
    expect(histograms.map(({ value }) => value)).toContainEqual(
      expect.objectContaining({
        countFloat: 4,
        schema: 4,
        zeroCountFloat: zeroCount,
        positiveSpans: [{ offset: buckets[0]?.[0], length: buckets.length }],
        positiveCounts: buckets.map(([, count]) => count),
      }),
    );
    const later = pipe.pass(taken(taker, [], []));
    const ends = later.filter(({ value }) => typeof value === 'object');
    expect(ends.map(keyOfSeries).sort()).toEqual(histograms.map(keyOfSeries).sort());
    for (const { value } of ends) expect(value).toMatchObject({ sum: 'stale', countFloat: 0, positiveCounts: [] });
    expect(later.every(({ value }) => value === 'stale' || typeof value === 'object')).toBe(true);
  });
});
