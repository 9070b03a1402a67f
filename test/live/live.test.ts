import { expect, test } from 'vitest';
import { Live, type RememberedTarget } from '../../server/live/live.ts';
import { FlowTotals } from '../../server/model/flow-totals.ts';
import { binsOf, counters, failedScrape, flowKey, gauges, goodScrape, identity } from '../store/records.ts';
import { discovered } from './live-targets.ts';

const A = '10.0.0.1:9901';
const B = '10.0.0.2:9901';

function liveOf(...addresses: string[]): Live {
  const live = new Live();
  live.setTargets(
    addresses.map((address) => discovered(address)),
    [],
  );
  return live;
}

const scrape = (target: string, requests: number, to = 1000) =>
  goodScrape({ target, from: 0, to, flows: [{ counters: { '2xx': requests }, gauges: { active_requests: 2 } }] });

const remembered: RememberedTarget = {
  target: A,
  identity: identity({ region: 'eu' }),
  inbound: true,
  flows: FlowTotals.of([
    { flow: flowKey({}), counters: counters({ '2xx': 70 }), gauges: gauges(), bins: { keys: [], counts: [] } },
  ]),
};

test('a target is unknown until its first scrape, then up or down', () => {
  const live = liveOf(A, B);
  expect(live.all().map(({ health }) => health)).toEqual(['unknown', 'unknown']);
  live.apply([scrape(A, 5), failedScrape(B, 1200, 'nothing listens there')]);
  expect(live.get(A)).toMatchObject({ health: 'up', lastError: '', lastScrape: 1000, bodyBytes: 2048, samples: 10 });
  expect(live.get(B)).toMatchObject({
    health: 'down',
    lastError: 'nothing listens there',
    lastScrape: 1200,
    bodyBytes: null,
  });
  expect([live.count('up'), live.count('down'), live.count('unknown'), live.size]).toEqual([1, 1, 0, 2]);
});

test('a target that goes down keeps who it is and what it counted', () => {
  const live = liveOf(A);
  live.apply([scrape(A, 5)]);
  live.apply([failedScrape(A, 2000, 'gone')]);
  expect(live.get(A)).toMatchObject({ health: 'down', identity: identity(), inbound: true, envoyVersion: '1.40.0' });
  expect(live.get(A)?.flows[0]?.counters[0]).toBe(5);
  live.apply([scrape(A, 8, 3000)]);
  expect(live.get(A)).toMatchObject({ health: 'up', lastError: '' });
  expect(live.get(A)?.flows[0]?.counters[0]).toBe(8);
});

test('what was read stays as it is when more is counted', () => {
  const live = liveOf(A);
  live.apply([scrape(A, 5)]);
  const read = live.get(A)?.flows;
  live.apply([scrape(A, 8, 2000)]);
  live.apply([scrape(A, 9, 3000)]);
  expect([read, live.get(A)?.flows].map((flows) => flows?.[0]?.counters[0])).toEqual([5, 9]);
});

test('what was applied does not change with the totals of later scrapes', () => {
  const live = liveOf(A);
  const record = scrape(A, 5);
  live.apply([record]);
  record.findings.flowTotals.add(
    [0],
    [{ counters: counters({ '2xx': 94 }), gauges: gauges(), bins: binsOf({ 20: 1 }) }],
  );
  expect(live.get(A)?.flows[0]?.counters[0]).toBe(5);
});

test('scrapes of targets that have gone are ignored, and a target that stays keeps its state', () => {
  const live = liveOf(A, B);
  live.apply([scrape(A, 5), scrape(B, 6)]);
  live.setTargets([discovered(B)], []);
  live.apply([scrape(A, 7)]);
  expect(live.all().map(({ target, health }) => [target.key, health])).toEqual([[B, 'up']]);
});

test('of a target that was counted before a restart, who it is is known at once', () => {
  const live = new Live();
  live.setTargets([discovered(A), discovered(B)], [remembered]);
  expect(live.get(A)).toMatchObject({ health: 'unknown', identity: { region: 'eu' }, inbound: true, flows: [] });
  expect(live.get(B)).toMatchObject({ health: 'unknown', identity: undefined, inbound: false });
});

test('what it had counted is shown again when its first scrape fails, and goes on from there', () => {
  const live = new Live();
  live.setTargets([discovered(A)], [remembered]);
  live.apply([failedScrape(A, 1000, 'gone')]);
  expect(live.get(A)?.flows).toEqual([...remembered.flows]);
  live.apply([scrape(A, 75)]);
  expect(live.get(A)?.flows[0]?.counters[0]).toBe(75);
});

test('what it had counted does not hide what its first good scrape says', () => {
  const live = new Live();
  live.setTargets([discovered(A)], [remembered]);
  live.apply([scrape(A, 75), failedScrape(A, 2000, 'gone')]);
  expect(live.get(A)?.flows[0]?.counters[0]).toBe(75);
});

test('an Envoy whose start is told later because a clock was put right has not started again', () => {
  const live = liveOf(A);
  const told = (to: number, startedAt: number) =>
    goodScrape({ target: A, from: to - 1000, to, findings: { startedAt } });
  live.apply([told(100_000, 4000), failedScrape(A, 110_000, 'gone'), told(120_000, 9000)]);
  expect(live.get(A)).toMatchObject({ startedAt: 9000, restarts: [] });
  live.apply([told(130_000, 122_000)]);
  expect(live.get(A)).toMatchObject({ startedAt: 122_000, restarts: [122_000] });
});

test('starts of an Envoy that come after another are kept, the same one told a little differently is not', () => {
  const live = liveOf(A);
  const told = (to: number, startedAt: number | null) =>
    goodScrape({ target: A, from: to - 1000, to, findings: { startedAt } });
  live.apply([told(10_000, 4000)]);
  expect(live.get(A)).toMatchObject({ startedAt: 4000, restarts: [] });
  live.apply([told(20_000, 5000)]);
  expect(live.get(A)).toMatchObject({ startedAt: 5000, restarts: [] });
  live.apply([failedScrape(A, 30_000, 'gone'), told(40_000, 37_000)]);
  expect(live.get(A)).toMatchObject({ startedAt: 37_000, restarts: [37_000] });
  live.apply([told(50_000, null)]);
  expect(live.get(A)).toMatchObject({ startedAt: 37_000, restarts: [37_000] });
  for (let at = 60_000; at < 1_000_000; at += 10_000) live.apply([told(at, at - 3000)]);
  expect(live.get(A)?.restarts).toHaveLength(20);
});

test('every change has a revision of its own', () => {
  const live = liveOf(A);
  const revisions = [live.revision];
  live.apply([scrape(A, 1)]);
  revisions.push(live.revision);
  live.setTargets([discovered(A), discovered(B)]);
  revisions.push(live.revision);
  expect(new Set(revisions).size).toBe(3);
});
