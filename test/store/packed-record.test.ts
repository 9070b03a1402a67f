import { expect, test } from 'vitest';
import { COUNTERS, type FlowIncrement, type FlowKey, GAUGES, STORED_GAUGES } from '../../server/model/flow.ts';
import { FlowTotals } from '../../server/model/flow-totals.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { PackedObservation } from '../../server/store/packed-observation.ts';
import { packed, release } from '../../server/store/packed-record.ts';
import { type EncodedRound, RoundEncoder } from '../../server/store/sqlite/round.ts';

const flow = (direction: FlowKey['direction'], peer = ''): FlowKey => {
  return { direction, peer, peerNamespace: '', source: direction === 'inbound' ? 'downstream' : 'upstream' };
};

/** Counts that differ from flow to flow, none of them the same as any other; of gauges those that are stored. */
function increment(key: FlowKey, seed: number, more: Partial<FlowIncrement> = {}): FlowIncrement {
  const counters = Float64Array.from(COUNTERS, (_, index) => (index % 3 === seed % 3 ? seed * 100 + index : 0));
  const gauges = Float64Array.from(GAUGES, (_, index) => (index < STORED_GAUGES.length ? seed + index : 0));
  const bins = { keys: [3, 200 + seed, 900], counts: [1, 2 ** 40, seed + 1] };
  return { flow: key, counters, gauges, bins, ...more };
}

const IDENTITY = { service: 's', namespace: '', instance: 'i', region: '', zone: '', role: 'sidecar' } as const;
const BOTH_WAYS = [flow('outbound', 'a'), flow('inbound'), flow('outbound', 'b'), flow('zone', 'a')];

function recordOf(flows: readonly FlowIncrement[], from = 1000): ScrapeRecord {
  return {
    target: 't:1',
    at: 2000,
    durationMs: 1,
    bodyBytes: 1,
    error: '',
    findings: {
      observation: { identity: IDENTITY, from, to: 2000, flows },
      totals: { shape: '{}', values: Uint8Array.of(1, 2, 3) },
      flowTotals: new FlowTotals(),
      countedSince: null,
      startedAt: null,
      inbound: true,
      samples: 1,
      envoyVersion: '',
      precision: 'bins',
      failureSource: 'status',
      certificateExpiry: null,
    },
  };
}

function encoded(encoder: RoundEncoder, ...records: ScrapeRecord[]): EncodedRound {
  const steps = encoder.encode(records);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

const flowsOf = (record: ScrapeRecord) => record.findings?.observation.flows;
const EMPTY = { counters: new Float64Array(COUNTERS.length), bins: { keys: [], counts: [] } };

test.each<[string, FlowIncrement[]]>([
  ['several directions', BOTH_WAYS.map((key, index) => increment(key, index + 1))],
  ['flows in which nothing happened', BOTH_WAYS.map((key, index) => increment(key, index, index === 1 ? {} : EMPTY))],
  ['the largest count', [increment(flow('inbound'), 1, { bins: { keys: [1], counts: [Number.MAX_SAFE_INTEGER] } })]],
  ['no flow', []],
])('%s: what is packed is the same, and is stored as the same bytes', (_, flows) => {
  const record = recordOf(flows);
  const small = packed(record);
  expect(small.findings?.observation).toBeInstanceOf(PackedObservation);
  expect(flowsOf(small)).toEqual(flows);
  expect(encoded(new RoundEncoder(), small)).toEqual(encoded(new RoundEncoder(), record));
});

test('what is packed and what is not are one layout', () => {
  const encoder = new RoundEncoder();
  const record = recordOf(BOTH_WAYS.map((key, index) => increment(key, index)));
  expect(encoded(encoder, record, packed(record), packed(record)).layouts).toHaveLength(1);
  const renamed = recordOf(BOTH_WAYS.map((key, index) => increment({ ...key }, index)));
  expect(encoded(encoder, packed(renamed)).layouts).toEqual([]);
  const others = recordOf(BOTH_WAYS.slice(1).map((key, index) => increment(key, index)));
  expect(encoded(encoder, packed(others)).layouts).toHaveLength(1);
});

test('memory that was given back is used for what comes next', () => {
  const one = packed(recordOf([increment(flow('inbound'), 1)]));
  const before = one.findings?.observation;
  release([one]);
  const next = packed(recordOf([increment(flow('inbound'), 2)])).findings?.observation;
  if (!(before instanceof PackedObservation && next instanceof PackedObservation)) throw new Error('not packed');
  expect(next.record.buffer).toBe(before.record.buffer);
  expect(next.flows).toEqual([increment(flow('inbound'), 2)]);
});

test.each<[string, ScrapeRecord]>([
  ['that failed', { ...recordOf([]), findings: undefined, error: 'no' }],
  ['with increments that were held back', recordOf([increment(flow('inbound'), 1, { from: 500 })])],
  ['with a count below zero', recordOf([increment(flow('inbound'), 1, { counters: Float64Array.of(-1) })])],
  [
    'with a count beyond what is exact',
    recordOf([increment(flow('inbound'), 1, { counters: Float64Array.of(2 ** 53) })]),
  ],
])('a scrape %s stays as it is', (_, record) => {
  expect(packed(record)).toBe(record);
});
