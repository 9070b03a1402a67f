import { describe, expect, test } from 'vitest';
import type { KeptAlert, NewAlertEvent } from '../../server/model/alert.ts';
import { ALERT_EVENTS_MS, ALERT_FIRINGS_MS } from '../../server/store/store.ts';
import { allUpkeep, type Engine, opened, START } from './conformance-engine.ts';

function alert(service: string, value: number): KeptAlert {
  return {
    rule: 'Slow',
    by: ['service'],
    labels: { alertname: 'Slow', service },
    annotations: { summary: `"${service}" is slow` },
    state: {
      phase: 'firing',
      since: START,
      activeSince: START,
      clearedSince: null,
      data: 'ok',
      dataSince: START,
      value,
      threshold: 500,
      requests: 100,
    },
    firedAt: START,
  };
}

function event(service: string, at: number): NewAlertEvent {
  const { rule, labels, annotations, firedAt } = alert(service, 1);
  return { at, rule, labels, annotations, phase: 'firing', firedAt, value: 0.1, threshold: 500, requests: null };
}

/** The events of an alert that fires and may end. */
function fired(service: string, at: number, endedAt?: number): NewAlertEvent[] {
  const fires = { ...event(service, at), firedAt: at };
  return endedAt === undefined ? [fires] : [fires, { ...fires, at: endedAt, phase: 'resolved', value: 0 }];
}

const nothing = { kept: [], forgotten: [], events: [] };

/** Alerts of one engine. */
export function describeAlerts(engine: Engine): void {
  describe(`alerts ${engine.name}`, () => {
    test('alerts are kept by rule and labels, in whatever order the labels are, and forgotten', async () => {
      const one = await opened(engine);
      expect(await one.store.loadAlerts()).toEqual([]);
      await one.store.saveAlerts({
        ...nothing,
        kept: [alert('a', 1), alert('b', 1), { ...alert('a', 1), rule: 'Other' }],
      });
      const labels = { service: 'a', alertname: 'Slow' };
      await one.store.saveAlerts({ ...nothing, kept: [{ ...alert('a', 2), labels }], forgotten: [alert('b', 1)] });
      const store = await one.again();
      const kept = await store.loadAlerts();
      expect(kept.sort((x, y) => (x.rule < y.rule ? 1 : -1))).toEqual([
        { ...alert('a', 2), labels },
        { ...alert('a', 1), rule: 'Other' },
      ]);
    });

    test('events come in order by number, and newest first by time', async () => {
      const one = await opened(engine);
      expect([await one.store.newestAlertEvent(), await one.store.alertEvents({ after: 0, most: 9 })]).toEqual([0, []]);
      const times = [START, START + 2000, START + 1000];
      await one.store.saveAlerts({ ...nothing, events: times.map((at, index) => event(`s${index}`, at)) });
      const store = await one.again();
      const [first, second, third] = times.map((at, index) => ({ ...event(`s${index}`, at), id: index + 1 }));
      expect(await store.alertEvents({ after: 0, most: 2 })).toEqual([first, second]);
      expect(await store.alertEvents({ after: 2, most: 2 })).toEqual([third]);
      expect(await store.alertHistory({ from: START, to: START + 2001, most: 2 })).toEqual([second, third]);
      expect(await store.alertHistory({ from: START, to: START + 2000, most: 9 })).toEqual([third, first]);
      expect(await store.newestAlertEvent()).toBe(3);
    });

    test('old events are forgotten, and no number is given twice', async () => {
      const one = await opened(engine);
      await one.store.saveAlerts({ ...nothing, events: [event('a', START), event('b', START + 1000)] });
      await allUpkeep(one.store, START + ALERT_EVENTS_MS + 500);
      expect((await one.store.alertEvents({ after: 0, most: 9 })).map(({ id }) => id)).toEqual([2]);
      await allUpkeep(one.store, START + 2 * ALERT_EVENTS_MS);
      const store = await one.again();
      await store.saveAlerts({ ...nothing, events: [event('c', START)] });
      expect((await store.alertEvents({ after: 0, most: 9 })).map(({ id }) => id)).toEqual([3]);
    });

    test('each time that an alert fired is told to whoever asks for a time that it reaches into', async () => {
      const one = await opened(engine);
      const events = [
        ...fired('long', START, START + 5000),
        ...fired('short', START + 1000, START + 2000),
        ...fired('on', START + 3000),
      ];
      const pending: NewAlertEvent = { ...event('on', START + 2500), phase: 'pending', firedAt: null };
      await one.store.saveAlerts({ ...nothing, events: [pending, ...events] });
      await one.store.saveAlerts({ ...nothing, events: fired('namespaced', START + 100, START + 200) });
      const store = await one.again();
      const told = async (from: number, to: number, most = 9, service?: readonly string[]) => {
        const firings = await store.alertFirings({ from: START + from, to: START + to, service, most });
        return firings.map(({ labels }) => labels.service);
      };
      expect(await told(0, 9000)).toEqual(['on', 'short', 'namespaced', 'long']);
      expect(await told(0, 9000, 2)).toEqual(['on', 'short']);
      expect(await told(2000, 3000)).toEqual(['long']);
      expect(await told(5000, 5001)).toEqual(['on']);
      expect(await told(-1000, 0)).toEqual([]);
      expect(await told(0, 9000, 9, ['on', 'long', 'other'])).toEqual(['on', 'long']);
      expect(await store.alertFirings({ from: START, to: START + 1, namespace: ['x'], most: 9 })).toEqual([]);
      expect(await store.alertFirings({ from: START, to: START + 1, namespace: [''], most: 9 })).toEqual([
        {
          rule: 'Slow',
          labels: { alertname: 'Slow', service: 'long' },
          annotations: { summary: '"long" is slow' },
          firedAt: START,
          endedAt: START + 5000,
          value: 0.1,
          threshold: 500,
          requests: null,
        },
      ]);
    });

    test('no firing goes on that its alert knows nothing of, and ended ones are forgotten after a year', async () => {
      const one = await opened(engine);
      await one.store.saveAlerts({ ...nothing, events: [...fired('a', START), ...fired('b', START)] });
      const a = alert('a', 1);
      const ended = { ...a, state: { ...a.state, phase: 'resolved' as const, since: START + 700 } };
      await one.store.saveAlerts({ ...nothing, kept: [ended, alert('b', 1)] });
      const told = async () => {
        const firings = await one.store.alertFirings({ from: START, to: START + 1, most: 9 });
        return firings.map(({ labels, endedAt }) => [labels.service, endedAt]).sort();
      };
      expect(await told()).toEqual([
        ['a', START + 700],
        ['b', null],
      ]);
      await allUpkeep(one.store, START + ALERT_FIRINGS_MS + 701);
      expect(await told()).toEqual([['b', null]]);
    });

    test('each receiver has its own place', async () => {
      const one = await opened(engine);
      expect(await one.store.loadCursor('a')).toBeUndefined();
      await one.store.saveCursor('a', 1);
      await one.store.saveCursor('a', 7);
      await one.store.saveCursor('b', 0);
      const store = await one.again();
      expect([await store.loadCursor('a'), await store.loadCursor('b')]).toEqual([7, 0]);
    });
  });
}
