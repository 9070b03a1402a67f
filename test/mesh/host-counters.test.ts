import { expect, test } from 'vitest';
import type { ClusterHost, ClusterHosts } from '../../server/envoy/clusters.ts';
import { HostCounters } from '../../server/mesh/host-counters.ts';

const host = (address: string, total: number, { error = 0, hostname = '' } = {}): ClusterHost => {
  return { address, hostname, region: '', zone: '', total, success: total - error, error };
};
const cluster = (name: string, ...hosts: ClusterHost[]): ClusterHosts => ({ cluster: name, hosts });

/** What each reading told: `cluster address hostname: success/error`. */
function grown(...readings: ClusterHosts[][]): string[][] {
  const counters = new HostCounters(undefined);
  const told = readings.map((clusters) => counters.advance(clusters));
  return told.map((growth) =>
    [...growth].flatMap(([name, hosts]) =>
      hosts.map(({ address, hostname, success, error }) => {
        return `${[name, address, hostname].filter(Boolean).join(' ')}: ${success}/${error}`;
      }),
    ),
  );
}

test.each<[string, ClusterHosts[][], string[][]]>([
  ['the first reading is the baseline', [[cluster('a', host('1:80', 5))]], []],
  [
    'the same hosts in the same order',
    [[cluster('a', host('1:80', 5), host('2:80', 7))], [cluster('a', host('1:80', 6, { error: 1 }), host('2:80', 7))]],
    [['a 1:80: 0/1']],
  ],
  [
    'in another order, with one that is new and one that is gone',
    [
      [cluster('a', host('1:80', 5), host('2:80', 7), host('3:80', 9))],
      [cluster('a', host('4:80', 2), host('3:80', 10), host('1:80', 8))],
      [cluster('a', host('4:80', 3), host('3:80', 10), host('1:80', 8))],
    ],
    [['a 4:80: 2/0', 'a 3:80: 1/0', 'a 1:80: 3/0'], ['a 4:80: 1/0']],
  ],
  [
    'the same address in another cluster is another host',
    [[cluster('a', host('1:80', 5))], [cluster('b', host('1:80', 6)), cluster('a', host('1:80', 6))]],
    [['b 1:80: 6/0', 'a 1:80: 1/0']],
  ],
  [
    'one address under two names',
    [
      [cluster('a', host('1:80', 5, { hostname: 'x' }), host('1:80', 7, { hostname: 'y' }))],
      [cluster('a', host('1:80', 9, { hostname: 'y' }), host('1:80', 6, { hostname: 'x' }))],
    ],
    [['a 1:80 y: 2/0', 'a 1:80 x: 1/0']],
  ],
  [
    'a host that is told twice counts once',
    [[cluster('a', host('1:80', 5))], [cluster('a', host('1:80', 6), host('1:80', 8))]],
    [['a 1:80: 3/0']],
  ],
  [
    'a host that began anew counts from zero, and so does one that had counted nothing',
    [[cluster('a', host('1:80', 5), host('2:80', 0))], [cluster('a', host('1:80', 2), host('2:80', 3))]],
    [['a 1:80: 2/0', 'a 2:80: 3/0']],
  ],
  [
    'a cluster that is told in two parts',
    [
      [cluster('a', host('1:80', 5)), cluster('b', host('9:80', 1)), cluster('a', host('2:80', 5))],
      [cluster('a', host('2:80', 6)), cluster('b', host('9:80', 2)), cluster('a', host('1:80', 7))],
    ],
    [['a 1:80: 2/0', 'b 9:80: 1/0']],
  ],
])('%s', (_, readings, expected) => {
  expect(grown(...readings)).toEqual([[], ...expected]);
});

test('after another process began, everything counts from zero', () => {
  const counters = new HostCounters(undefined);
  counters.advance([cluster('a', host('1:80', 5))]);
  counters.restart();
  expect(counters.advance([cluster('a', host('1:80', 7))]).get('a')).toMatchObject([{ address: '1:80', success: 7 }]);
});

test('twenty thousand hosts, all of them other ones than before, are told as those of one cluster', () => {
  const all = (from: number) =>
    cluster('a', ...Array.from({ length: 20_000 }, (_, i) => host(`10.0.0.1:${from + i}`, 1 + i)));
  const counters = new HostCounters(undefined);
  counters.advance([all(0)]);
  const growth = counters.advance([all(10_000)]).get('a') ?? [];
  expect(growth).toHaveLength(20_000);
  expect(growth[0]).toMatchObject({ address: '10.0.0.1:10000', success: 1 });
  expect(growth.at(-1)).toMatchObject({ address: '10.0.0.1:29999', success: 20_000 });
  expect(counters.counts?.counts).toHaveLength(60_000);
});
