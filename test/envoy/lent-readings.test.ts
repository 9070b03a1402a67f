import { expect, test } from 'vitest';
import { withoutForeignLines } from '../../server/envoy/prometheus-lines.ts';
import { owned } from '../../server/envoy/stats.ts';
import { PrometheusStatsReader } from '../../server/envoy/stats-prometheus.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { foreignBody } from '../bench/foreign.ts';
import { sidecarMoments } from '../bench/sidecar.ts';
import { FORMS } from './five-forms.ts';
import { textBody } from './stats-body.ts';

const STATS = {
  scalars: { 'cluster.b.membership_total': 1, 'cluster.b.upstream_rq_2xx': 5 },
  histograms: {
    'cluster.b.internal.upstream_rq_time': { 1: 2 },
    'cluster.b.upstream_rq_time': { 3: 5 },
    'cluster.b.zone.x.y.upstream_rq_time': { 3: 5 },
  },
};

test('targets that list the same names share their layout', () => {
  const body = textBody(STATS);
  const [one, other] = [new TextStatsReader().read(body).layout, new TextStatsReader().read(body).layout];
  expect(other).toBe(one);
  const another = new TextStatsReader().read(textBody({ scalars: { 'cluster.c.upstream_rq_2xx': 5 } })).layout;
  expect(another.scalars).toEqual(['cluster.c.upstream_rq_2xx']);
});

test('a lent reading leaves out the copies but those by zone, and holds until another reader reads', () => {
  const lent = new TextStatsReader().lend(textBody(STATS));
  expect([...(lent.unread ?? [])]).toEqual([1, 0, 0]);
  expect([...owned(lent).binStarts]).toEqual([0, 0, 1, 2]);
  expect(lent.holds?.()).toBe(true);
  new TextStatsReader().lend(textBody(STATS));
  expect(lent.holds?.()).toBe(false);
});

test('a long body of many programs says the same without the lines of the others', async () => {
  const [moment] = sidecarMoments(1);
  const body = foreignBody(moment ?? { scalars: {} }, 3);
  let pauses = 0;
  const short = await withoutForeignLines(body, async () => void pauses++);
  expect(pauses).toBe(3);
  expect(short.length).toBeLessThan(body.length / 10);
  expect(new PrometheusStatsReader().read(short)).toEqual(new PrometheusStatsReader().read(body));
});

test('a short body is left as it is', async () => {
  const [moment] = sidecarMoments(1);
  const body = FORMS.prometheus.render(moment ?? { scalars: {} });
  expect(await withoutForeignLines(body, () => Promise.reject(new Error('no pause is needed')))).toBe(body);
});
