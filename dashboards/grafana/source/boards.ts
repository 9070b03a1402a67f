import { type Board, buildBoard } from './board.ts';
import { COLLECTOR } from './collector.ts';
import { OVERVIEW } from './overview.ts';
import { REGION } from './region.ts';
import { SERVICE } from './service.ts';
import { SIDECAR } from './sidecar.ts';

export const BOARDS: readonly Board[] = [OVERVIEW, SERVICE, REGION, SIDECAR, COLLECTOR];

/** The boards as Grafana imports them, by the name of the file. */
export function boardFiles(): Map<string, string> {
  return new Map(BOARDS.map((board) => [`${board.name}.json`, `${JSON.stringify(buildBoard(board), null, 2)}\n`]));
}
