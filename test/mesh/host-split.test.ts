import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Answered, apportion, splitByHosts } from '../../server/mesh/host-split.ts';
import { COUNTER_INDEX, COUNTERS, type Counter, failureCount, requestCount } from '../../server/model/flow.ts';

type Counts = Partial<Record<Counter, number>>;

const countersOf = (counts: Counts): Float64Array => Float64Array.from(COUNTERS, (name) => counts[name] ?? 0);
const told = (counters: Float64Array): Counts =>
  Object.fromEntries(COUNTERS.flatMap((name, i) => (counters[i] ? [[name, counters[i]]] : [])));
const answers = (...pairs: readonly (readonly [success: number, error: number])[]): Answered[] =>
  pairs.map(([success, error]) => ({ success, error }));

interface Case {
  readonly name: string;
  readonly counted: Counts;
  readonly hosts: Answered[];
  readonly shares: readonly Counts[];
  readonly rest?: Counts;
  readonly left?: Answered[];
}

const NOTHING = { success: 0, error: 0 };

const CASES: readonly Case[] = [
  {
    name: 'one class, two hosts',
    counted: { '2xx': 10 },
    hosts: answers([7, 0], [3, 0]),
    shares: [{ '2xx': 7 }, { '2xx': 3 }],
  },
  {
    name: 'gRPC failures of one host',
    counted: { '2xx': 207, grpc_failed: 30 },
    hosts: answers([117, 0], [60, 30]),
    shares: [{ '2xx': 117 }, { '2xx': 90, grpc_failed: 30 }],
  },
  {
    name: '5xx of both',
    counted: { '2xx': 5, '5xx': 4 },
    hosts: answers([5, 1], [0, 3]),
    shares: [{ '2xx': 5, '5xx': 1 }, { '5xx': 3 }],
  },
  {
    name: 'a host that did nothing',
    counted: { '2xx': 5, '4xx': 2 },
    hosts: answers([7, 0], [0, 0]),
    shares: [{ '2xx': 5, '4xx': 2 }, {}],
  },
  {
    name: 'everything of the only one that answered is its own',
    counted: { '2xx': 5, '5xx': 1, timeout: 1, bytes_rx: 900 },
    hosts: answers([5, 1]),
    shares: [{ '2xx': 5, '5xx': 1, timeout: 1, bytes_rx: 900 }],
  },
  {
    name: 'retries of the only one are tries',
    counted: { '2xx': 5, '5xx': 1, retries: 4 },
    hosts: answers([5, 5]),
    shares: [{ '2xx': 5, '5xx': 1, retries: 4 }],
  },
  {
    name: 'what no host explains stays',
    counted: { '2xx': 12, '5xx': 3, no_healthy_upstream: 3 },
    hosts: answers([7, 0], [3, 0]),
    shares: [{ '2xx': 7 }, { '2xx': 3 }],
    rest: { '2xx': 2, '5xx': 3, no_healthy_upstream: 3 },
  },
  {
    name: 'classes are told as far as they are proven',
    counted: { '2xx': 100, '4xx': 9 },
    hosts: answers([60, 0], [49, 0]),
    shares: [
      { '2xx': 51, unclassed: 9 },
      { '2xx': 40, unclassed: 9 },
    ],
  },
  {
    name: 'failures of unknown kind are failures',
    counted: { '2xx': 2, '5xx': 2, grpc_failed: 2 },
    hosts: answers([0, 2], [0, 2]),
    shares: [
      { unclassed: 2, unclassed_failed: 2 },
      { unclassed: 2, unclassed_failed: 2 },
    ],
  },
  {
    name: 'with classes unknown, those of the rest are unknown, too',
    counted: { '2xx': 10, '4xx': 10 },
    hosts: answers([8, 0], [8, 0]),
    shares: [{ unclassed: 8 }, { unclassed: 8 }],
    rest: { unclassed: 4 },
  },
  {
    name: 'errors of tries that were retried are nobody’s failures',
    counted: { '2xx': 10, '5xx': 2, retries: 3 },
    hosts: answers([6, 4], [4, 1]),
    shares: [{ '2xx': 6, '5xx': 1 }, { '2xx': 4 }],
    rest: { '5xx': 1, retries: 3 },
  },
  {
    name: 'hosts are read a moment later',
    counted: { '2xx': 8 },
    hosts: answers([6, 0], [4, 0]),
    shares: [{ '2xx': 5 }, { '2xx': 3 }],
    left: answers([1, 0], [1, 0]),
  },
  {
    name: 'a gRPC status that stands for a 4xx is a success of its host: of the only one',
    counted: { '2xx': 10, grpc_failed: 4, '5xx': 1 },
    hosts: answers([10, 0], [0, 1]),
    shares: [
      { '2xx': 10, grpc_failed: 4 },
      { unclassed: 1, unclassed_failed: 1 },
    ],
  },
  {
    name: 'of several it is nobody’s',
    counted: { '2xx': 10, grpc_failed: 4 },
    hosts: answers([5, 0], [5, 0]),
    shares: [{ '2xx': 3 }, { '2xx': 3 }],
    rest: { '2xx': 4, grpc_failed: 4 },
  },
];

test.each(CASES)('$name', ({ counted, hosts, shares, rest = {}, left }) => {
  const split = splitByHosts(countersOf(counted), hosts);
  expect([split.shares.map(told), told(split.rest)]).toEqual([shares, rest]);
  expect(split.left).toEqual(left ?? hosts.map(() => NOTHING));
});

const count = fc.nat(30);
const counted = fc
  .record({ '2xx': count, '3xx': count, '4xx': count, '5xx': count, failed: count, retries: fc.constantFrom(0, 0, 5) })
  .map(({ failed, ...counts }) => countersOf({ ...counts, grpc_failed: Math.min(failed, counts['2xx']) }));
const hosts = fc.array(fc.record({ success: count, error: count }), { maxLength: 4 });

test('requests and failures of shares and rest are what was counted, and no share is more than its hosts answered', () => {
  fc.assert(
    fc.property(counted, hosts, (counters, parties) => {
      const { shares, rest, left } = splitByHosts(counters, parties);
      const parts = [...shares, rest];
      const sum = (of: (part: Float64Array) => number) => parts.reduce((total, part) => total + of(part), 0);
      expect([sum(requestCount), sum(failureCount)]).toEqual([requestCount(counters), failureCount(counters)]);
      for (const part of parts) expect([...part].every((value) => Number.isInteger(value) && value >= 0)).toBe(true);
      for (const part of parts) expect(failureCount(part)).toBeLessThanOrEqual(requestCount(part));
      parties.forEach(({ success, error }, i) => {
        expect(requestCount(shares[i] ?? [])).toBeLessThanOrEqual(success + error);
        expect(left[i]?.success).toBeLessThanOrEqual(success);
        expect(left[i]?.error).toBeLessThanOrEqual(error);
      });
      for (const name of ['timeout', 'bytes_rx', 'retries'] as const)
        expect(sum((part) => part[COUNTER_INDEX[name]] ?? 0)).toBe(counters[COUNTER_INDEX[name]]);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [10, [3, 4], [3, 4]],
  [5, [5, 5], [3, 2]],
  [1, [1, 1, 1], [0, 1, 0]],
  [0, [3], [0]],
  [4, [], []],
])('%d parts among claims of %j', (total, claims, parts) => {
  expect(apportion(total, claims)).toEqual(parts);
});
