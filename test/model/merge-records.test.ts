import { expect, test } from 'vitest';
import { mergeNeighbours } from '../../server/model/merge-records.ts';
import { goodScrape, identity } from '../store/records.ts';

const TARGET = '10.0.0.1:9901';

const scrape = (round: number, zones: Readonly<Record<string, number>>, service = 'shop') =>
  goodScrape({
    target: TARGET,
    from: round * 10,
    to: round * 10 + 10,
    identity: identity({ service }),
    flows: Object.entries(zones).map(([peerZone, requests]) => {
      return { direction: 'zone', peer: 'cart', peerZone, counters: { '2xx': requests }, latency: { 20: requests } };
    }),
  });

const told = (records: ReturnType<typeof mergeNeighbours>) =>
  records.map(({ findings }) => {
    const { from = 0, to = 0, flows = [] } = findings?.observation ?? {};
    return [from, to, Object.fromEntries(flows.map((flow) => [flow.flow.peerZone, flow.counters[0]]))];
  });

test('neighbours of a target become one, each zone for itself', () => {
  const merged = mergeNeighbours([scrape(0, { a: 1, b: 10 }), scrape(1, { a: 2, c: 100 }), scrape(2, { b: 5 })]);
  expect(told(merged)).toEqual([
    [0, 20, { a: 3, b: 10, c: 100 }],
    [20, 30, { b: 5 }],
  ]);
  expect(merged[0]?.findings?.observation.flows.map(({ bins }) => bins.counts)).toEqual([[3], [10], [100]]);
});

test('scrapes with a gap between them, and those of another service, stay apart', () => {
  expect(told(mergeNeighbours([scrape(0, { a: 1 }), scrape(2, { a: 2 })]))).toHaveLength(2);
  expect(told(mergeNeighbours([scrape(0, { a: 1 }), scrape(1, { a: 2 }, 'market')]))).toHaveLength(2);
});

test('scrapes of more than can be counted together stay apart', () => {
  const most = Number.MAX_SAFE_INTEGER;
  expect(told(mergeNeighbours([scrape(0, { a: most }), scrape(1, { a: 1 })]))).toHaveLength(2);
  expect(told(mergeNeighbours([scrape(0, { a: most - 1 }), scrape(1, { a: 1 })]))).toEqual([[0, 20, { a: most }]]);
});
