import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  checkedInBoards,
  expressionsOf,
  panelsOf,
  type Use,
  usesOf,
  variableUses,
} from '../dashboards/grafana-boards.ts';
import type { RunningPrometheus } from '../running-prometheus.ts';
import { PATIENT } from './prometheus-run.ts';

export interface BoardsContext {
  readonly prometheus: RunningPrometheus;
  /** Begin and end of known traffic, in Unix milliseconds. */
  readonly from: number;
  readonly to: number;
}

/** Choices of variables as Grafana writes them into expressions: one service, all of the others. */
const CHOICES: Readonly<Record<string, string>> = { service: 'service_a' };
const QUIET_INTERVAL = '2s';
/** Labels that /metrics leaves out where they are empty; three-services has no namespaces. */
const MAY_BE_EMPTY: Use['labels'] = ['namespace'];

export function filled(expression: string, interval: string): string {
  return expression
    .replaceAll('$__rate_interval', interval)
    .replaceAll(/=~"\$\w+"/g, '=~".*"')
    .replaceAll(/\$(\w+)/g, (_, name: string) => CHOICES[name] ?? '');
}

/** Every expression of every board in a real Prometheus, while the mesh was busy and while it was quiet. */
export function describeBoards(contextOf: () => BoardsContext): void {
  const boards = checkedInBoards();
  const expressions = boards.flatMap(({ file, board }) =>
    panelsOf(board).flatMap((panel) =>
      expressionsOf(panel).map((expression) => ({ name: `${file}: ${panel.title}`, expression })),
    ),
  );

  describe('the boards of Grafana', () => {
    let quietAt: number;
    const labels = new Map<string, Set<string>>();

    beforeAll(async () => {
      const { prometheus, to } = contextOf();
      for (const series of await prometheus.query('{__name__=~"mesh_.*|sidelight_.*"}', to)) {
        const { __name__: metric = '', ...own } = series.labels;
        labels.set(metric, new Set([...(labels.get(metric) ?? []), ...Object.keys(own)]));
      }
      await vi.waitFor(async () => {
        quietAt = Date.now();
        const rates = await prometheus.query(`sum(rate(mesh_requests_total[${QUIET_INTERVAL}]))`, quietAt);
        expect(rates.map(({ value }) => value)).toEqual([0]);
      }, PATIENT);
    });

    test.each(expressions)('$name has data while there is traffic', async ({ expression }) => {
      const { prometheus, from, to } = contextOf();
      const series = await prometheus.query(filled(expression, `${to - from}ms`), to);
      expect(series).not.toHaveLength(0);
      expect(series.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
    });

    test.each(expressions)('$name shows nothing that is no number without traffic', async ({ expression }) => {
      const series = await contextOf().prometheus.query(filled(expression, QUIET_INTERVAL), quietAt);
      expect(series.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
    });

    const uses = [
      ...expressions.map(({ name, expression }) => ({ name, used: usesOf(expression) })),
      ...boards.map(({ file, board }) => ({ name: `${file}: its variables`, used: variableUses(board) })),
    ];
    test.each(uses)('$name uses only metrics and labels that /metrics has', ({ used }) => {
      expect(used).not.toHaveLength(0);
      for (const use of used) {
        const known = [...(labels.get(use.metric) ?? []), ...MAY_BE_EMPTY];
        expect([use.metric, labels.has(use.metric)]).toEqual([use.metric, true]);
        expect([use.metric, use.labels.filter((label) => !known.includes(label))]).toEqual([use.metric, []]);
      }
    });
  });
}
