/** The checked-in boards; their expressions run in a real Prometheus in test/e2e/prometheus.test.ts. */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { boardFiles } from '../../dashboards/grafana/source/boards.ts';
import { failedShare } from '../../dashboards/grafana/source/queries.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { checkedInBoards, expressionsOf, panelsOf } from './grafana-boards.ts';

const checkedIn = checkedInBoards();

test('the checked-in boards are those of the sources; `npm run dashboards` writes them', () => {
  expect(new Map(checkedIn.map(({ file, text }) => [file, text]))).toEqual(boardFiles());
});

test('no two boards share their address', () => {
  const addresses = checkedIn.map(({ board }) => board.uid);
  expect(addresses).toHaveLength(5);
  expect(new Set(addresses).size).toBe(5);
});

test('failed gRPC calls count as failed, also beside services that have none', () => {
  const series = (metric: string, labels: string, perMinute: number) => ({
    series: `${metric}{direction="inbound", ${labels}}`,
    values: `0+${perMinute}x10`,
  });
  const share = failedShare('direction="inbound"', ['service']).replaceAll('$__rate_interval', '5m');
  const file = join(temporaryFolder(), 'share.json');
  writeFileSync(
    file,
    JSON.stringify({
      tests: [
        {
          interval: '1m',
          input_series: [
            series('mesh_requests_total', 'service="cart", code_class="2xx"', 90),
            series('mesh_requests_total', 'service="cart", code_class="5xx"', 10),
            series('mesh_failed_requests_total', 'service="cart"', 25),
            series('mesh_request_failures_total', 'service="cart", reason="grpc"', 15),
            series('mesh_request_failures_total', 'service="cart", reason="timeout"', 5),
            series('mesh_requests_total', 'service="shop", code_class="2xx"', 75),
            series('mesh_requests_total', 'service="shop", code_class="5xx"', 25),
            series('mesh_failed_requests_total', 'service="shop"', 25),
            series('mesh_requests_total', 'service="idle", code_class="5xx"', 0),
            series('mesh_failed_requests_total', 'service="idle"', 0),
          ],
          promql_expr_test: [
            {
              expr: share,
              eval_time: '10m',
              exp_samples: [
                { labels: '{service="cart"}', value: 0.25 },
                { labels: '{service="shop"}', value: 0.25 },
              ],
            },
          ],
        },
      ],
    }),
  );
  const run = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  if (run.error) throw new Error(`promtool does not run (${run.error.message}): apt-get install prometheus`);
  expect([run.status, run.stderr]).toEqual([0, '']);
});

describe.each(checkedIn)('$file', ({ board, text }) => {
  const variables = board.templating?.list ?? [];

  test('asks whichever Prometheus is chosen, and has no variable that it lacks', () => {
    expect(variables[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    const datasources = [...text.matchAll(/"type": "prometheus",\s*"uid": "([^"]*)"/g)].map(([, uid]) => uid);
    expect(new Set(datasources)).toEqual(new Set(['$datasource']));
    const used = [...text.matchAll(/\$(\w+)|\$\{(\w+)/g)].map(([, bare, braced]) => bare ?? braced ?? '');
    const known = [...variables.map(({ name }) => name), '__rate_interval', '__all', '__field'];
    expect(known).toEqual(expect.arrayContaining([...new Set(used)]));
  });

  test.each(panelsOf(board).map((panel) => [panel.title ?? '', panel] as const))('%s is complete', (_, panel) => {
    expect(panel.datasource).toEqual({ type: 'prometheus', uid: '$datasource' });
    expect(panel.description).toMatch(/\.$/);
    expect(panel.fieldConfig?.defaults.unit).toMatch(/^\w+$/);
    expect(panel.fieldConfig?.defaults.thresholds?.steps[0]).toEqual({ value: null, color: 'green' });
    expect(expressionsOf(panel)).not.toHaveLength(0);
    expect(expressionsOf(panel)).not.toContain('');
    for (const { url } of panel.fieldConfig?.defaults.links ?? [])
      expect(url).toMatch(/^\$\{sidelight\}\/services\/\$\{(service|__field\.labels\.service)\}$/);
  });

  test('no panel covers another, or is wider than the board', () => {
    const cells = panelsOf(board).flatMap(({ gridPos }) => {
      const { x, y, w, h } = gridPos ?? { x: -1, y: 0, w: 1, h: 1 };
      return Array.from({ length: w * h }, (_, i) => [x + (i % w), y + Math.floor(i / w)] as const);
    });
    expect(cells.filter(([x]) => x < 0 || x >= 24)).toEqual([]);
    expect(new Set(cells.map(String)).size).toBe(cells.length);
  });

  test('a link by a series’ service is only where series have one', () => {
    for (const panel of panelsOf(board)) {
      const isBySeries = panel.fieldConfig?.defaults.links?.some(({ url }) => url?.includes('__field'));
      if (isBySeries)
        for (const expression of expressionsOf(panel)) expect(expression).toMatch(/by \([^)]*\bservice\b|^mesh_/);
    }
  });
});
