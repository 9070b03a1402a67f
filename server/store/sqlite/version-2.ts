import type Database from 'better-sqlite3';
import { COUNTERS, type FlowKey, type LatencySource, STORED_GAUGES } from '../../model/flow.ts';
import { decodeBins, NO_BINS } from '../../model/histogram.ts';
import { keyOf } from '../../model/labels.ts';
import { VarintWriter } from '../../model/varint.ts';
import { DIRECTIONS, RecordWriter } from '../record.ts';
import { Catalog, type Layout, type TargetUnits } from './catalog.ts';

interface OldSeries {
  readonly id: number;
  readonly target: number;
  readonly direction: FlowKey['direction'];
  readonly source: LatencySource;
  readonly peer: string;
  readonly peer_namespace: string;
  readonly peer_zone: string;
  readonly service: string;
  readonly namespace: string;
  readonly instance: string;
  readonly region: string;
  readonly zone: string;
}

interface OldScrape {
  readonly target: number;
  readonly t0: number;
  readonly t1: number;
}

/** A target under one identity, with its old series in the order of its layout. */
interface Owner {
  readonly target: number;
  readonly units: TargetUnits;
  readonly layout: Layout;
  readonly series: readonly OldSeries[];
}

/** Columns of `raw` that hold one number per counter and gauge, in the order of `COUNTERS` and `STORED_GAUGES`. */
export const OLD_COLUMNS: readonly string[] = [
  ...COUNTERS.map((counter) => (/^\d/.test(counter) ? `requests_${counter}` : counter)),
  ...STORED_GAUGES,
];

const FIRST_NUMBER = 3;

/** Takes over what a file of version 2 holds: each scrape becomes a row of the log. */
export function copyFromVersion2(database: Database.Database): void {
  const owners = ownersOf(database);
  const bySeries = new Map(owners.flatMap((owner) => owner.series.map(({ id }) => [id, owner] as const)));
  const latest = new Map(owners.map((owner) => [owner.target, owner]));
  const rowsAt = database.prepare(`SELECT t1, series, t0, ${oldNumbers(database)}, bins FROM raw WHERE t1 = ?`).raw();
  const add = database.prepare(
    'INSERT INTO log (unit, feeds, direction, t0, t1, layout, data) VALUES (?, ?, -1, ?, ?, ?, ?)',
  );
  const scrapes = database.prepare('SELECT target, t0, t1 FROM scrapes ORDER BY t1').all() as OldScrape[];
  for (const [t1, members] of Map.groupBy(scrapes, (scrape) => scrape.t1)) {
    const rows = Map.groupBy(rowsAt.all(t1) as unknown[][], (row) => bySeries.get(Number(row[1])));
    for (const { target, t0 } of members) {
      const active = [...rows.keys()].filter((owner) => owner?.target === target);
      for (const owner of active.length > 0 ? active : [latest.get(target)]) {
        if (!owner) continue;
        latest.set(target, owner);
        const data = recordOf(owner, rows.get(owner) ?? []);
        add.run(owner.units.target, owner.units.service, t0, t1, owner.layout.id, data);
      }
    }
  }
  const newest = scrapes.at(-1)?.t1;
  if (newest !== undefined) database.prepare("INSERT INTO state (name, value) VALUES ('newest', ?)").run(newest);
}

/** Counters that came later were not counted then. */
function oldNumbers(database: Database.Database): string {
  const columns = database.pragma('table_info(raw)') as { name: string }[];
  const known = new Set(columns.map(({ name }) => name));
  return OLD_COLUMNS.map((column) => (known.has(column) ? column : '0')).join(', ');
}

/** In order of their first series: a target's newest identity comes last. */
function ownersOf(database: Database.Database): Owner[] {
  const catalog = new Catalog(database);
  const series = database.prepare('SELECT * FROM old_series ORDER BY id').all() as OldSeries[];
  const groups = Map.groupBy(series, ({ target, service, namespace, instance, region, zone }) =>
    keyOf([String(target), service, namespace, instance, region, zone]),
  );
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    if (!first) return [];
    const units = catalog.targetUnits(first.target, { ...first, role: 'sidecar' });
    for (const unit of [units.place, units.service]) for (const one of members) catalog.sumSeriesOf(unit, flowOf(one));
    const ids = DIRECTIONS.map((direction) =>
      members.filter((one) => one.direction === direction).map((one) => catalog.seriesOf(units.target, flowOf(one))),
    );
    return [{ target: first.target, units, layout: catalog.layoutOf(units.target, ids), series: members }];
  });
}

function flowOf({ direction, source, peer, peer_namespace: peerNamespace, peer_zone: peerZone }: OldSeries): FlowKey {
  return { direction, source, peer, peerNamespace, ...(direction === 'zone' ? { peerZone } : {}) };
}

function recordOf({ series }: Owner, rows: readonly (readonly unknown[])[]): Uint8Array {
  const record = new RecordWriter();
  DIRECTIONS.forEach((direction, index) => {
    const members = series.filter((one) => one.direction === direction);
    for (const [position, { id }] of members.entries()) {
      const row = rows.find((one) => one[1] === id);
      if (!row) continue;
      const numbers = row.slice(FIRST_NUMBER, -1).map(Number);
      const bins = row.at(-1);
      record.add(index, position, {
        counters: numbers.slice(0, COUNTERS.length),
        gauges: numbers.slice(COUNTERS.length),
        bins: bins instanceof Uint8Array ? decodeBins(bins) : NO_BINS,
      });
    }
  });
  const out = new VarintWriter();
  record.writeTo(out);
  return out.finish();
}
