import { expect, test } from 'vitest';
import { NO_STATS } from '../../server/envoy/stats.ts';
import { EncodedTotals, type Totals } from '../../server/mesh/totals.ts';
import { FlowTotals } from '../../server/model/flow-totals.ts';
import { binsOf, counters, flowKey, gauges } from '../store/records.ts';

function totalsOf(requests: number): Totals {
  const flow = { flow: flowKey({}), counters: counters({ '2xx': requests }), gauges: gauges(), bins: binsOf() };
  return { reading: NO_STATS, flows: FlowTotals.of([flow]), held: [], hosts: undefined };
}

test('totals keep their values until they are given back, and give their memory back once', () => {
  const first = EncodedTotals.ofWhole('', totalsOf(5), 1);
  const values = [...first.values];
  const second = EncodedTotals.ofWhole('', totalsOf(6), 1);
  expect([...first.values]).toEqual(values);
  first.release();
  first.release();
  const third = EncodedTotals.ofWhole('', totalsOf(7), 1);
  const fourth = EncodedTotals.ofWhole('', totalsOf(8), 1);
  expect([second, third, fourth].map(({ values: [requests] }) => requests)).toEqual([6, 7, 8]);
});
