import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';

export const BOARDS_FOLDER = join(import.meta.dirname, '../../dashboards/grafana');

/** A board as it is checked in. */
export interface CheckedInBoard {
  readonly file: string;
  readonly text: string;
  readonly board: Dashboard;
}

export function checkedInBoards(): CheckedInBoard[] {
  return readdirSync(BOARDS_FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => {
      const text = readFileSync(join(BOARDS_FOLDER, file), 'utf8');
      return { file, text, board: JSON.parse(text) as Dashboard };
    });
}

export function panelsOf({ panels = [] }: Dashboard): Panel[] {
  return panels.flatMap((panel) => ('targets' in panel ? [panel] : []));
}

export function expressionsOf({ targets = [] }: Panel): string[] {
  return targets.map((target) => ('expr' in target ? String(target.expr) : ''));
}

/** Metrics with labels that something uses. */
export interface Use {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** What an expression uses of each metric: the labels that it matches, and those by which it sums. */
export function usesOf(expression: string): Use[] {
  const by = [...expression.matchAll(/(?:by|on|group_left) \(([^)]*)\)/g)].flatMap(([, names = '']) => words(names));
  return [...expression.matchAll(/\b((?:mesh|sidelight)_\w+)(?:\{([^}]*)\})?/g)].map(([, metric = '', match = '']) => {
    const matched = [...match.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, name = '']) => name);
    return { metric, labels: [...new Set([...matched, ...by])] };
  });
}

/** What a board's variables take their choices from. */
export function variableUses({ templating }: Dashboard): Use[] {
  return (templating?.list ?? []).flatMap(({ type, query }) => {
    if (type !== 'query' || typeof query !== 'object') return [];
    const [, from = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(String(query.query)) ?? [];
    return usesOf(from).map(({ metric, labels }) => ({ metric, labels: [...labels, label] }));
  });
}

function words(text: string): string[] {
  return text.split(/[,\s]+/).filter((word) => word !== '');
}
