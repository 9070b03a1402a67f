import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LabelSet, LONGEST_VALUE } from '../../server/exporter/families.ts';
import { renderMetrics, TooManySeriesError } from '../../server/exporter/render.ts';
import { compileSampleFilter, type SampleRules } from '../../server/exporter/sample-filter.ts';
import { SelfMetrics } from '../../server/telemetry/self-metrics.ts';
import { liveWith } from '../live/live-targets.ts';
import { goodScrape } from '../store/records.ts';
import { rendered } from './rendered.ts';

const shop = goodScrape({
  target: '10.0.0.1:9901',
  from: 0,
  to: 1000,
  identity: { service: 'shop', instance: 'shop-1' },
  flows: [
    { counters: { '2xx': 3 }, latency: { 20: 3 } },
    { direction: 'outbound', peer: 'cart', counters: { '2xx': 2, reset: 1 } },
  ],
});
const targets = liveWith([shop]).all();

test('OpenMetrics: families without _total, units, bounds as floating point numbers, one end', async () => {
  const own = await new SelfMetrics('0.1.0').registry.getMetricsAsJSON();
  const text = rendered(targets, { format: 'openmetrics', buckets: [0.5, 1, 1e21], own });
  for (const line of [
    '# TYPE mesh_requests counter',
    'mesh_requests_total{service="shop",instance="shop-1",direction="inbound",code_class="2xx"} 3',
    '# UNIT mesh_request_duration_seconds seconds',
    'mesh_request_duration_seconds_bucket{service="shop",instance="shop-1",direction="inbound",le="1.0"} 3',
    'mesh_request_duration_seconds_bucket{service="shop",instance="shop-1",direction="inbound",le="1e+21"} 3',
    '# TYPE sidelight_process_cpu_seconds counter',
    '# UNIT sidelight_process_cpu_seconds seconds',
    'sidelight_scrape_duration_seconds_bucket{le="1.0"} 0',
    'sidelight_scrape_duration_seconds_bucket{le="+Inf"} 0',
  ])
    expect(text.split('\n')).toContain(line);
  expect(text.match(/# EOF/g)).toHaveLength(1);
  expect(text.endsWith('\n# EOF\n')).toBe(true);
  expect(text).not.toContain('_created');
  expect(rendered(targets)).not.toContain('# EOF');
});

test.each(['text', 'openmetrics'] as const)('%s: every family stands together, under one head', async (format) => {
  const own = await new SelfMetrics('0.1.0').registry.getMetricsAsJSON();
  const heads = rendered(targets, { format, own }).match(/^# TYPE (\S+)/gm) ?? [];
  expect(heads.length).toBeGreaterThan(20);
  expect(new Set(heads).size).toBe(heads.length);
});

describe('rules of exporter.keep and exporter.drop', () => {
  const names = (rules: Partial<SampleRules>) => {
    const filter = compileSampleFilter({ keep: [], drop: [], ...rules });
    const lines = rendered(targets, { filter }).split('\n');
    return new Set(lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.replace(/ .*/, '')));
  };
  const all = names({});

  test.each<[string, Partial<SampleRules>, (line: string) => boolean]>([
    ['one metric', { keep: [{ metric: 'mesh_sidecar_up', labels: {} }] }, (line) => line.startsWith('mesh_sidecar_up')],
    ['anchored', { keep: [{ metric: 'mesh_sidecar', labels: {} }] }, () => false],
    [
      'by a pattern',
      { drop: [{ metric: 'mesh_sidecar_.*|mesh_endpoints', labels: {} }] },
      (line) => !/^mesh_(sidecar_|endpoints)/.test(line),
    ],
    ['by a label', { drop: [{ labels: { peer: 'cart' } }] }, (line) => !line.includes('peer="cart"')],
    ['by a label that is absent', { keep: [{ labels: { peer: '' } }] }, (line) => !line.includes('peer=')],
    [
      'by a label of the sample',
      { drop: [{ metric: 'mesh_requests_total', labels: { code_class: '[35]xx' } }] },
      (line) => !/code_class="[35]xx"/.test(line),
    ],
    [
      'kept, then dropped',
      { keep: [{ metric: 'mesh_requests_total', labels: {} }], drop: [{ labels: { direction: 'outbound' } }] },
      (line) => line.startsWith('mesh_requests_total') && line.includes('inbound'),
    ],
  ])('%s', (_, rules, stays) => {
    expect([...names(rules)]).toEqual([...all].filter(stays));
  });
});

test('an answer that would be too large is refused before its first piece, with what to do', () => {
  const series = rendered(targets)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#')).length;
  const limited = (seriesLimit: number) => () => rendered(targets, { seriesLimit });
  expect(limited(series + 10)).not.toThrow();
  expect(limited(series - 10)).toThrow(TooManySeriesError);
  expect(limited(5)).toThrow(/exporter\.series_limit \(5\): raise it/);
});

test('the answer comes in pieces, with time for others in between', () => {
  const many = liveWith(
    Array.from({ length: 400 }, (_, index) =>
      goodScrape({
        target: `10.0.${index >> 8}.${index & 255}:9901`,
        from: 0,
        to: 1000,
        identity: { instance: `shop-${index}` },
        flows: [{ counters: { '2xx': 1 }, latency: { 5: 1 } }],
      }),
    ),
  ).all();
  const pieces = [
    ...renderMetrics({
      targets: many,
      own: [],
      level: 'instance',
      buckets: [0.1, 1],
      seriesLimit: 1e6,
      filter: () => true,
      format: 'text',
      now: 0,
    }),
  ];
  expect(Math.max(...pieces.map((piece) => piece?.length ?? 0))).toBeLessThan(100_000);
  expect(pieces.filter((piece) => piece === undefined).length).toBeGreaterThan(50);
  expect(pieces.join('').match(/^mesh_sidecar_up/gm)).toHaveLength(400);
});

describe('label values', () => {
  test.each([
    ['quotes, backslashes and line ends', 'a "b" \\ c\nd', String.raw`a \"b\" \\ c\nd`],
    ['half a character', 'a\ud800b', 'a\ufffdb'],
    ['of the longest length', 'x'.repeat(LONGEST_VALUE), 'x'.repeat(LONGEST_VALUE)],
  ])('%s', (_, value, shown) => {
    expect(new LabelSet({ service: value }).text).toBe(`service="${shown}"`);
  });

  test('longer ones are cut, and stay apart', () => {
    const [a, b] = ['a', 'b'].map((end) => new LabelSet({ service: 'x'.repeat(10_000) + end }).labels.service ?? '');
    expect([a?.length, b?.length]).toEqual([LONGEST_VALUE, LONGEST_VALUE]);
    expect(a).not.toBe(b);
  });

  test('whatever they hold, a line stays one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 700 }), (value) => {
        expect(new LabelSet({ service: value }).text).toMatch(/^service="([^"\\\n]|\\[\\"n])+"$/);
      }),
    );
  });
});
