/** Bodies that the fuzzer found, as small as they became. */

import { expect, test } from 'vitest';
import { StatsError } from '../../server/envoy/stats.ts';
import { FORMS } from './five-forms.ts';
import { histogramsOf, scalarsOf } from './stats-body.ts';

const NO_SAMPLE = 'http.in.downstream_rq_total: 1\nhttp.in.downstream_rq_time: No recorded values\n';
const BUCKETS = 'http.in.downstream_rq_total: 2\nhttp.in.downstream_rq_time: B0.5(0,1) B1(0,1) B5(0,2)\n';
const QUANTILES = 'http.in.downstream_rq_total: 2\nhttp.in.downstream_rq_time: P0(nan,1) P100(nan,2)\n';

test('a histogram that was empty at the first scrape is read once it has samples', () => {
  const reader = FORMS['text-cumulative'].reader(true);
  expect(histogramsOf(reader.read(Buffer.from(NO_SAMPLE)))).toEqual({});
  expect(histogramsOf(reader.read(Buffer.from(BUCKETS)))).toEqual({ 'http.in.downstream_rq_time': { 0: 1, 2: 1 } });
});

test('an Envoy that tells quantiles only is known as such from the first sample on', () => {
  const reader = FORMS['text-cumulative'].reader(true);
  reader.read(Buffer.from(NO_SAMPLE));
  expect(reader.precision).toBe('bins');
  reader.read(Buffer.from(QUANTILES));
  expect(reader.precision).toBe('none');
});

test('series of the same name add up to no more than can be counted', () => {
  const line = 'envoy_cluster_upstream_rq_total{envoy_cluster_name="a"} 18446744073709551615\n';
  const reading = FORMS.prometheus.reader().read(Buffer.from(line + line));
  expect(scalarsOf(reading)).toEqual({ 'cluster.a.upstream_rq_total': Number.MAX_SAFE_INTEGER });
});

test('bins that share the slowest key add up to no more than can be counted', () => {
  const body = `http.in.a: 1\nhttp.in.t:\n  totals=1e+15,1e+14:${'9'.repeat(30)}, 1e+16,1e+15:5\n  intervals=\n  summary=\n`;
  expect([...FORMS.text.reader().read(Buffer.from(body)).binCounts]).toEqual([Number.MAX_SAFE_INTEGER]);
});

test.each([
  ['labels without values', `envoy_cluster_upstream_rq_total{${'zone_eu_west_1'.repeat(1100)}} 5\n`],
  ['a name of underscores', `envoy_cluster_${'_'.repeat(15_000)}x_upstream_rq_total{envoy_cluster_name="a"} 5\n`],
  ['a name of gRPC marks', `envoy_cluster_${'grpc_'.repeat(3000)}total{envoy_cluster_name="a"} 5\n`],
])('%s: as long as a line may be, read in linear time', (_, line) => {
  const reader = FORMS.prometheus.reader();
  const before = process.threadCpuUsage();
  try {
    reader.read(Buffer.from(line));
  } catch (error) {
    expect(error).toBeInstanceOf(StatsError);
  }
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(50);
});
