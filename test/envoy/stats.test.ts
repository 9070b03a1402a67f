import { describe, expect, test } from 'vitest';
import { StatsError, type StatsReader } from '../../server/envoy/stats.ts';
import { JsonStatsReader } from '../../server/envoy/stats-json.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { capture, captureJson, sentByCluster, type Truth } from './captures.ts';
import { type EnvoyStats, histogramsOf, jsonBody, scalarsOf, textBody } from './stats-body.ts';

const VERSIONS = ['1.36.4', '1.40.0'];

const FORMS: readonly [string, () => StatsReader, (stats: EnvoyStats) => Buffer][] = [
  ['text', () => new TextStatsReader(), textBody],
  ['json', () => new JsonStatsReader(), jsonBody],
];

describe.each(VERSIONS)('captures of Envoy %s', (version) => {
  const text = new TextStatsReader().read(capture(`${version}/1_stats_detailed_usedonly.txt`));
  const json = new JsonStatsReader().read(capture(`${version}/1_stats_detailed_usedonly.json`));

  /** The two answers were given one after the other: what the first one itself counted is in the second. */
  const moves = (name: string) => /^(?:http|listener)\.admin\.|^server\.|^main_thread\./.test(name);

  function atRest<T>(values: Record<string, T>): Record<string, T> {
    return Object.fromEntries(Object.entries(values).filter(([name]) => !moves(name)));
  }

  test('text and JSON say the same', () => {
    expect(text.layout.scalars.filter((name) => !moves(name))).toEqual(
      json.layout.scalars.filter((name) => !moves(name)),
    );
    expect(text.layout.scalars.length).toBeGreaterThan(2000);
    expect(atRest(scalarsOf(text))).toEqual(atRest(scalarsOf(json)));
    expect(Object.keys(histogramsOf(text)).length).toBeGreaterThan(100);
    expect(atRest(histogramsOf(text))).toEqual(atRest(histogramsOf(json)));
  });

  test.each([...sentByCluster(captureJson<Truth>(`${version}/truth.json`).phase_1)])(
    'cluster %s has exactly what was sent',
    (cluster, classes) => {
      const sent = Object.values(classes).reduce((sum, count) => sum + count, 0);
      for (const reading of [text, json]) {
        const scalars = scalarsOf(reading);
        for (const [codeClass, count] of Object.entries(classes))
          expect([codeClass, scalars[`cluster.${cluster}.upstream_rq_${codeClass}`]]).toEqual([codeClass, count]);
        expect(scalars[`cluster.${cluster}.upstream_rq_completed`]).toBe(sent);
        const samples = histogramsOf(reading)[`cluster.${cluster}.upstream_rq_time`] ?? {};
        expect(Object.values(samples).reduce((sum, count) => sum + count, 0)).toBe(sent);
      }
    },
  );
});

test('an Envoy without traffic is read in both forms', () => {
  const json = new JsonStatsReader().read(capture('1.40.0/idle_stats_detailed_usedonly.json'));
  expect(scalarsOf(json)['cluster.service_a.membership_total']).toBe(1);
  expect(json.layout.histograms).not.toContain('cluster.service_a.upstream_rq_time');
  const text = new TextStatsReader().read(capture('1.40.0/idle_stats.txt'));
  expect(scalarsOf(text)['http.ingress_http.downstream_rq_completed']).toBe(0);
  expect(text.layout.histograms).toEqual([]);
});

describe.each(FORMS)('the reader of %s', (form, newReader, body) => {
  const read = (stats: EnvoyStats) => newReader().read(body(stats));

  test.each([
    'backend.default.svc.cluster.local',
    'odd.upstream_rq_time',
    'outbound|8080|v1|reviews.default.svc.cluster.local;',
    'sérvice ünï 服务 ✓',
    'quo"te\\back{x="1"}',
    'a,b=c',
    'spiffe_//cluster.local/ns/x',
    ' leading and trailing ',
    `long_${'x'.repeat(200)}_name`,
    `longest_${'x'.repeat(4000)}`,
  ])('keeps every character of the name %s', (cluster) => {
    const counter = `cluster.${cluster}.upstream_rq_2xx`;
    const histogram = `cluster.${cluster}.upstream_rq_time`;
    const reading = read({ scalars: { [counter]: 7 }, histograms: { [histogram]: { 3: 4, 100: 1 } } });
    expect(scalarsOf(reading)).toEqual({ [counter]: 7 });
    expect(histogramsOf(reading)).toEqual({ [histogram]: { 3: 4, 100: 1 } });
  });

  test.each([
    [0, 0],
    [1, 1],
    [4_294_967_296, 4_294_967_296],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ])('reads %d', (value, expected) => {
    expect(scalarsOf(read({ scalars: { 'cluster.a.upstream_rq_2xx': value } }))).toEqual({
      'cluster.a.upstream_rq_2xx': expected,
    });
  });

  test.each(['18446744073709551614', `1${'0'.repeat(399)}`])('cuts %s, which no counter of ours reaches', (digits) => {
    const bytes = body({ scalars: { 'cluster.a.version': 12345 } })
      .toString()
      .replace('12345', digits);
    expect(scalarsOf(newReader().read(Buffer.from(bytes)))).toEqual({ 'cluster.a.version': Number.MAX_SAFE_INTEGER });
  });

  test('histograms without a sample and the slowest bins', () => {
    const scalars = { 'server.uptime': 1 };
    const histograms = {
      'cluster.a.upstream_rq_time': {},
      'cluster.b.upstream_rq_time': { 0: 1, 1: 2, 990: 3, 1800000: 4 },
      'cluster.c.upstream_rq_time': { 990000000: 5 },
    };
    expect(histogramsOf(read({ scalars, histograms }))).toEqual(histograms);
  });

  test('bins beyond the slowest one become one with it', () => {
    const histograms = { 'http.a.downstream_rq_time': { 980000000: 1, 990000000: 2, 2000000000: 3, 3e20: 4 } };
    const reading = read({ scalars: { 'server.uptime': 1 }, histograms });
    expect(histogramsOf(reading)).toEqual({ 'http.a.downstream_rq_time': { 980000000: 1, 990000000: 9 } });
  });

  test('many histograms with many bins each', () => {
    const bins = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [i, i + 1]));
    const names = Array.from({ length: 300 }, (_, i) => `cluster.c${i}.upstream_rq_time`);
    const histograms = Object.fromEntries(names.map((name) => [name, bins]));
    expect(histogramsOf(read({ scalars: { 'server.uptime': 1 }, histograms }))).toEqual(histograms);
  });

  const before: EnvoyStats = {
    scalars: { 'cluster.a.upstream_rq_2xx': 1, 'cluster.b.upstream_rq_2xx': 2 },
    histograms: { 'cluster.a.upstream_rq_time': { 1: 1 }, 'cluster.b.upstream_rq_time': { 2: 1 } },
  };

  test.each<[string, boolean, EnvoyStats]>([
    ['the same once more', true, before],
    [
      'other numbers and bins',
      true,
      {
        scalars: { 'cluster.a.upstream_rq_2xx': 1000, 'cluster.b.upstream_rq_2xx': 0 },
        histograms: { 'cluster.a.upstream_rq_time': { 1: 90, 500: 9 }, 'cluster.b.upstream_rq_time': {} },
      },
    ],
    ['a counter more', false, { ...before, scalars: { ...before.scalars, 'cluster.b.upstream_rq_5xx': 1 } }],
    ['a counter less', false, { ...before, scalars: { 'cluster.a.upstream_rq_2xx': 1 } }],
    [
      'a counter renamed',
      false,
      { ...before, scalars: { 'cluster.a.upstream_rq_2xx': 1, 'cluster.b.upstream_rq_4xx': 2 } },
    ],
    [
      'a longer name',
      false,
      { ...before, scalars: { 'cluster.a.upstream_rq_2xx': 1, 'cluster.b.upstream_rq_2xxx': 2 } },
    ],
    [
      'another order',
      false,
      { ...before, scalars: { 'cluster.b.upstream_rq_2xx': 2, 'cluster.a.upstream_rq_2xx': 1 } },
    ],
    ['a histogram less', false, { ...before, histograms: { 'cluster.a.upstream_rq_time': { 1: 1 } } }],
    ['no histogram', false, { scalars: before.scalars }],
    [
      'a histogram more',
      false,
      { ...before, histograms: { ...before.histograms, 'cluster.c.upstream_rq_time': { 1: 1 } } },
    ],
  ])('%s: the layout stays the same object: %s', (_, stays, after) => {
    const reader = newReader();
    const first = reader.read(body(before));
    const second = reader.read(body(after));
    expect(second.layout === first.layout).toBe(stays);
    expect(scalarsOf(second)).toEqual(after.scalars);
    expect(histogramsOf(second)).toEqual(after.histograms ?? {});
    expect(scalarsOf(first)).toEqual(before.scalars);
    expect(histogramsOf(first)).toEqual(before.histograms);
  });

  test('a bad body changes nothing for the next good one', () => {
    const reader = newReader();
    const first = reader.read(body(before));
    const half = body({ ...before, scalars: { ...before.scalars, 'cluster.c.upstream_rq_2xx': 3 } });
    expect(() => reader.read(half.subarray(0, half.length - 40))).toThrow(StatsError);
    const second = reader.read(body(before));
    expect(second.layout).toBe(first.layout);
    expect(second).toEqual(first);
  });

  test(`a megabyte of ${form} on one line is refused at once`, () => {
    const bytes = body({ scalars: { [`cluster.${'x'.repeat(1_000_000)}.upstream_rq_2xx`]: 1 } });
    expect(() => newReader().read(bytes)).toThrow(StatsError);
  });
});

describe('text', () => {
  const read = (text: string) => new TextStatsReader().read(Buffer.from(text));
  const histogram = (totals: string) =>
    `cluster.a.upstream_rq_time:\n  totals=${totals}\n  intervals=\n  summary=P0(nan,1)\n`;

  test.each([
    ['without a newline at the end', 'cluster.a.upstream_rq_2xx: 12\ncluster.a.upstream_rq_4xx: 34'],
    [
      'with a text readout',
      'cluster.a.version_text: "1: 2"\ncluster.a.upstream_rq_2xx: 12\ncluster.a.upstream_rq_4xx: 34\n',
    ],
    [
      'with histograms that have no sample, or quantiles only',
      'cluster.a.upstream_rq_2xx: 12\ncluster.a.upstream_rq_4xx: 34\nhttp.a.downstream_rq_time: No recorded values\n' +
        'cluster.a.upstream_rq_time: P0(nan,1) P25(1.5,1)\n',
    ],
  ])('%s', (_, text) => {
    const reading = read(text);
    expect(scalarsOf(reading)).toEqual({ 'cluster.a.upstream_rq_2xx': 12, 'cluster.a.upstream_rq_4xx': 34 });
    expect(reading.layout.histograms).toEqual([]);
  });

  test('a histogram gets its first sample and loses the form of one without', () => {
    const reader = new TextStatsReader();
    reader.read(Buffer.from('server.uptime: 1\ncluster.a.upstream_rq_time: No recorded values\n'));
    const reading = reader.read(Buffer.from(`server.uptime: 2\n${histogram('3,0.1:1')}`));
    expect(histogramsOf(reading)).toEqual({ 'cluster.a.upstream_rq_time': { 3: 1 } });
  });

  test('a readout becomes a number', () => {
    const reader = new TextStatsReader();
    reader.read(Buffer.from('cluster.a.x: "1"\nserver.uptime: 1\n'));
    expect(scalarsOf(reader.read(Buffer.from('cluster.a.x: 1\nserver.uptime: 1\n')))['cluster.a.x']).toBe(1);
  });

  test.each([
    ['0,0:5', { 0: 5 }],
    ['110.00000000000001,10:2', { 110: 2 }],
    ['1,0.10000000000000001:3, 20,1:9', { 1: 3, 20: 9 }],
    ['1e+06,1e+05:4', { 1000000: 4 }],
    ['1.2e+03,1e2:4,1.8e+06,100000:1', { 1200: 4, 1800000: 1 }],
    ['2.5e+06,1e+05:18446744073709551615', { 2500000: Number.MAX_SAFE_INTEGER }],
  ])('bins %s', (totals, expected) => {
    const reading = read(`server.uptime: 1\n${histogram(totals)}`);
    expect(histogramsOf(reading)).toEqual({ 'cluster.a.upstream_rq_time': expected });
  });

  test.each([
    ['nothing', '', 'empty'],
    ['a lone newline', '\n', 'line 1'],
    ['blank lines between', 'server.uptime: 1\n\nserver.live: 1\n', 'line 2'],
    ['lines with CRLF', 'server.uptime: 1\r\nserver.live: 1\r\n', 'line 1'],
    ['HTML', '<!DOCTYPE html>\n<html lang="en"><head><title>404: no</title></head></html>\n', 'line 1'],
    ['HTML with numbers', '<p>\nserver.uptime: 1\n', 'line 1'],
    ['Prometheus', '# TYPE envoy_cluster_upstream_rq counter\nenvoy_cluster_upstream_rq{a="b"} 5\n', 'line 1'],
    ['Prometheus without a comment', 'envoy_cluster_upstream_rq{a="b: c"} 5\n', 'line 1'],
    ['JSON', '{"stats":[{"name":"server.uptime","value":1}]}', 'line 1'],
    ['another program', 'uptime: 5\nconnections: 2\n', '"uptime"'],
    ['a name without a number', 'server.uptime: 1\nserver.live', 'line 2'],
    ['a name without a value', 'server.uptime: 1\nserver.live:', 'line 2'],
    ['a name and a blank', 'server.uptime: 1\nserver.live: ', 'line 2'],
    ['a negative number', 'server.uptime: -1\n', 'line 1'],
    ['a fraction', 'server.uptime: 1.5\n', 'line 1'],
    ['words', 'server.uptime: a while\n', 'line 1'],
    ['NaN', 'server.uptime: nan\n', 'line 1'],
    ['bytes that are no text', '\u0000\u0001\u00ff\u0000: \u0002', 'line 1'],
    ['a histogram without totals', 'server.uptime: 1\ncluster.a.upstream_rq_time:\nserver.live: 1\n', 'line 2'],
    [
      'totals that are cut off in a bin',
      'server.uptime: 1\ncluster.a.upstream_rq_time:\n  totals=1,0.1:3, 20,1',
      'bin',
    ],
    ['totals that are cut off after a bin', 'server.uptime: 1\ncluster.a.upstream_rq_time:\n  totals=1,0.1:3', 'bin'],
    [
      'a histogram that ends after its totals',
      'server.uptime: 1\ncluster.a.upstream_rq_time:\n  totals=1,0.1:3\n',
      'cut off',
    ],
    [
      'a histogram that the next stat runs into',
      'server.uptime: 1\ncluster.a.upstream_rq_time:\n  totals=1,0.1:3\nserver.live: 1\n',
      'cut off',
    ],
    ['a bin without a count', `server.uptime: 1\n${histogram('1,0.1')}`, 'bin'],
    ['a bin that is no number', `server.uptime: 1\n${histogram('nan,0.1:1')}`, 'bin'],
    ['a bin with a negative count', `server.uptime: 1\n${histogram('1,0.1:-1')}`, 'bin'],
    ['a bin beyond all numbers', `server.uptime: 1\n${histogram('1e400,1:1')}`, 'bin'],
    ['bins out of order', `server.uptime: 1\n${histogram('20,1:1, 3,0.1:1')}`, 'order'],
  ])('%s is refused', (_, body, reason) => {
    expect(() => read(body)).toThrow(StatsError);
    expect(() => read(body)).toThrow(reason);
    const known = new TextStatsReader();
    known.read(Buffer.from(`server.uptime: 1\n${histogram('1,0.1:1')}`));
    expect(() => known.read(Buffer.from(body))).toThrow(StatsError);
  });

  test('a reason shows a short and printable part of the line', () => {
    const message = messageOf(() => read(`\u001b[31m${'x'.repeat(500)}\nserver.uptime: 1\n`));
    expect(message).toMatch(/^[\x20-\x7e]{10,140}$/);
  });
});

describe('JSON', () => {
  const read = (text: string) => new JsonStatsReader().read(Buffer.from(text));
  const uptime = '{"name":"server.uptime","value":1}';
  const detailed = (details: string) => `{"stats":[${uptime},{"histograms":{"details":[${details}]}}]}`;

  test('text readouts are left out', () => {
    const reading = read(`{"stats":[{"name":"cluster.a.version_text","value":"v1"},${uptime}]}`);
    expect(scalarsOf(reading)).toEqual({ 'server.uptime': 1 });
  });

  test.each([
    ['nothing', '', 'whole JSON'],
    ['half of it', `{"stats":[${uptime},`, 'whole JSON'],
    ['text', 'server.uptime: 1\n', 'whole JSON'],
    ['HTML', '<!DOCTYPE html>', 'whole JSON'],
    ['a lone newline', '\n', 'whole JSON'],
    ['brackets without end', '['.repeat(1_000_000), 'whole JSON'],
    ['null', 'null', 'no list "stats"'],
    ['a list', '[]', 'no list "stats"'],
    ['another object', '{"status":"ok"}', 'no list "stats"'],
    ['stats that are no list', '{"stats":{"a":1}}', 'no list "stats"'],
    ['no stats', '{"stats":[]}', 'empty'],
    ['another program', '{"stats":[{"name":"uptime","value":5}]}', '"uptime"'],
    ['nothing but a readout', '{"stats":[{"name":"server.version","value":"1"}]}', 'none'],
    ['a stat that is a number', '{"stats":[5]}', '5'],
    ['a stat that is null', `{"stats":[${uptime},null]}`, 'null'],
    ['a stat without a name', '{"stats":[{"value":5}]}', '"value"'],
    ['a stat without a value', '{"stats":[{"name":"server.live"}]}', 'server.live'],
    ['a negative number', '{"stats":[{"name":"server.live","value":-1}]}', '-1'],
    ['a negative number beyond all numbers', '{"stats":[{"name":"server.live","value":-1e400}]}', 'server.live'],
    ['histograms as quantiles', `{"stats":[${uptime},{"histograms":{"computed_quantiles":[]}}]}`, 'detailed'],
    ['a histogram without totals', detailed('{"name":"cluster.a.upstream_rq_time"}'), '"totals"'],
    ['a histogram without a name', detailed('{"totals":[]}'), '"name"'],
    ['a bin without a count', detailed('{"name":"x","totals":[{"lower_bound":1,"width":0.1}]}'), '"totals"'],
    ['a bin with a negative count', detailed('{"name":"x","totals":[{"lower_bound":1,"count":-1}]}'), '"totals"'],
    ['a bin that is null', detailed('{"name":"x","totals":[null]}'), '"totals"'],
    [
      'bins out of order',
      detailed('{"name":"x","totals":[{"lower_bound":9,"count":1},{"lower_bound":1,"count":1}]}'),
      'order',
    ],
  ])('%s is refused', (_, body, reason) => {
    expect(() => read(body)).toThrow(StatsError);
    expect(() => read(body)).toThrow(reason);
  });
});

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
}
