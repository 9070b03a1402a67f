import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { FlowKey } from '../../server/model/flow.ts';
import { Catalog } from '../../server/store/sqlite/catalog.ts';
import { ReaderCatalog } from '../../server/store/sqlite/reader-catalog.ts';
import { RecentlyUsed } from '../../server/store/sqlite/recently-used.ts';
import { migrate } from '../../server/store/sqlite/schema.ts';

test('what was used since the last turn is remembered, and what was not is forgotten', () => {
  const memory = new RecentlyUsed<string, number>();
  memory.set('used', 1);
  memory.set('unused', 2);
  memory.turn();
  expect(memory.get('used')).toBe(1);
  memory.turn();
  expect([memory.get('used'), memory.get('unused')]).toEqual([1, undefined]);
  memory.clear();
  expect(memory.get('used')).toBeUndefined();
});

const FLOW: FlowKey = { direction: 'outbound', source: 'upstream', peer: 'b', peerNamespace: 'shop' };
const of = (instance: string) => ({
  service: 'a',
  namespace: 'shop',
  instance,
  region: 'eu',
  zone: 'eu-1',
  role: 'sidecar' as const,
});

test('ids stay the same, forgotten or not; readers know all series of one name by one object', () => {
  const database = new Database(':memory:');
  migrate(database, ':memory:');
  const catalog = new Catalog(database);
  const idsOf = (target: number) => {
    const units = catalog.targetUnits(target, of(`a-${target}`));
    const [own, whole] = [catalog.seriesOf(units.target, FLOW), catalog.sumSeriesOf(units.service, FLOW)];
    const layout = catalog.layoutOf(units.target, [[own]]);
    return { units, own, whole, layout: layout.id, into: catalog.layoutInto(layout.id, units.service) };
  };
  const [first, second] = [idsOf(1), idsOf(2)];
  expect(second.units).toEqual({ ...first.units, target: second.units.target });
  expect([second.whole, second.into]).toEqual([first.whole, [[first.whole]]]);
  expect(second.own).not.toBe(first.own);
  for (let turn = 0; turn < 3; turn++) {
    catalog.turn();
    expect([idsOf(1), idsOf(2)]).toEqual([first, second]);
    expect(catalog.layout(first.layout).series).toEqual([[first.own]]);
  }
  const reader = new ReaderCatalog(database);
  reader.refresh();
  expect(reader.flows.get(first.own)).toEqual({
    source: 'upstream',
    labels: { peer: 'b', peer_namespace: 'shop', peer_zone: '' },
  });
  expect(reader.flows.get(second.own)).toBe(reader.flows.get(first.whole));
  expect(reader.layout(second.layout)).toEqual([[second.own]]);
  for (let turn = 0; turn < 3; turn++) {
    reader.turn();
    expect(reader.layout(second.layout)).toEqual([[second.own]]);
  }
});
