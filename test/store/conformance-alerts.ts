import { describe, expect, test } from 'vitest';
import type { KeptAlert, NewAlertEvent } from '../../server/model/alert.ts';
import { ALERT_EVENTS_MS } from '../../server/store/store.ts';
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
