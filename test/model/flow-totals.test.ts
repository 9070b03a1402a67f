import { expect, test } from 'vitest';
import type { FlowKey } from '../../server/model/flow.ts';
import { FlowTotals } from '../../server/model/flow-totals.ts';
import { binsOf, counters, flowKey, gauges } from '../store/records.ts';

const to = (peer: string): FlowKey => flowKey({ direction: 'outbound', peer });
const named = (peers: readonly string[]) => peers.map((peer) => ({ flow: to(peer) }));
const increment = (requests: number) => ({
  counters: counters({ '2xx': requests }),
  gauges: gauges({ active_requests: requests }),
  bins: binsOf({ 20: requests }),
});

test('flows keep their places, whichever object names them and in whatever order', () => {
  const totals = new FlowTotals();
  expect([...totals.placesOf(named(['a', 'b', 'c']))]).toEqual([0, 1, 2]);
  expect([...totals.placesOf(named(['c', 'd', 'a', 'd']))]).toEqual([2, 3, 0, 3]);
  expect(totals.keys.map(({ peer }) => peer)).toEqual(['a', 'b', 'c', 'd']);
  for (let plan = 0; plan < 200; plan++) expect([...totals.placesOf(named(['d', 'c']))]).toEqual([3, 2]);
  expect(totals.size).toBe(4);
});

test('what is added is there, and what was there before stays when flows are new', () => {
  const totals = new FlowTotals();
  const [a = 0] = totals.placesOf(named(['a']));
  totals.add([a], [increment(5)]);
  const [, b = 0] = totals.placesOf(named(['a', 'b']));
  totals.add([a], [increment(1)]);
  totals.add([b], [increment(7)]);
  expect([...totals]).toEqual([
    {
      flow: to('a'),
      counters: counters({ '2xx': 6 }),
      gauges: gauges({ active_requests: 1 }),
      bins: binsOf({ 20: 6 }),
    },
    {
      flow: to('b'),
      counters: counters({ '2xx': 7 }),
      gauges: gauges({ active_requests: 7 }),
      bins: binsOf({ 20: 7 }),
    },
  ]);
  expect(totals.sum()).toBe(13);
  totals.rest();
  expect([...totals].map((total) => total.gauges)).toEqual([gauges(), gauges()]);
  expect(totals.at(2)).toBeUndefined();
});

test('a copy is another one', () => {
  const totals = FlowTotals.of([{ flow: to('a'), ...increment(5) }]);
  const copy = new FlowTotals();
  copy.take(totals);
  const [place = 0] = totals.placesOf(named(['b']));
  totals.add([0], [increment(1)]);
  totals.add([place], [increment(2)]);
  expect([...copy]).toEqual([{ flow: to('a'), ...increment(5) }]);
  copy.take(totals);
  expect([...copy]).toEqual([...totals]);
});

test('a gateway with thousands of peers does not hold up the thread when they are first seen, nor when all histograms grow', () => {
  const peers = named(Array.from({ length: 5000 }, (_, peer) => `peer-${peer}`));
  const keys = Array.from({ length: 40 }, (_, key) => 2 * key);
  const totals = new FlowTotals();
  const start = process.cpuUsage();
  for (const offset of [0, 1]) {
    const bins = { keys: keys.map((key) => key + offset), counts: keys.map(() => 1) };
    totals.add(
      totals.placesOf(peers),
      peers.map(() => ({ ...increment(40), bins })),
    );
  }
  // Room for one histogram at a time took over ten seconds.
  expect(process.cpuUsage(start).user).toBeLessThan(1_000_000);
  expect(totals.at(4999)?.bins).toEqual({
    keys: Array.from({ length: 80 }, (_, key) => key),
    counts: Array(80).fill(1),
  });
});
