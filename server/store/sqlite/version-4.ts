import type Database from 'better-sqlite3';
import { VarintReader } from '../../model/varint.ts';
import { DIRECTIONS } from '../record.ts';

/** Records began with two sizes for each of these. */
const DIRECTIONS_THEN = 3;
const ROWS_AT_ONCE = 1000;

interface Row {
  readonly id: number;
  readonly data: Uint8Array;
}

/** Records of versions 3 and 4 knew no bare connections: each gets empty parts for those. */
export function widenRecords(database: Database.Database): void {
  const next = database.prepare('SELECT id, data FROM log WHERE id > ? ORDER BY id LIMIT ?');
  const update = database.prepare('UPDATE log SET data = ? WHERE id = ?');
  let last = -1;
  for (;;) {
    const rows = next.all(last, ROWS_AT_ONCE) as Row[];
    for (const { id, data } of rows) update.run(widened(data), id);
    const newest = rows.at(-1);
    if (!newest) return;
    last = newest.id;
  }
}

function widened(data: Uint8Array): Uint8Array {
  const head = new VarintReader(data);
  for (let i = 0; i < 2 * DIRECTIONS_THEN; i++) head.read();
  const added = new Uint8Array(2 * (DIRECTIONS.length - DIRECTIONS_THEN));
  return Buffer.concat([data.subarray(0, head.at), added, data.subarray(head.at)]);
}
