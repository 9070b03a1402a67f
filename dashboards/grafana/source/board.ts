/** What a board is, and how Grafana's own types are made of it. */

import type * as cog from '@grafana/grafana-foundation-sdk/cog';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { buildPanel, type Panel } from './panel.ts';

export interface Variable {
  readonly name: string;
  readonly label: string;
  /** Metric whose label gives the choices, with what it must match. */
  readonly metric: string;
  readonly of: string;
  /** Whether several, or all, may be chosen; a query then compares with `=~`. */
  readonly many: boolean;
}

export interface Board {
  /** Name of its file, and its address in Grafana after `sidelight-`. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly (readonly Panel[])[];
}

export const NAMESPACE: Variable = {
  name: 'namespace',
  label: 'Namespace',
  metric: 'mesh_sidecar_up',
  of: 'namespace',
  many: true,
};

/** Where a board's links lead by default; a variable of every board. */
const SIDELIGHT_URL = 'http://127.0.0.1:9191';
const WIDTH = 24;
const HEIGHTS = { stat: 4, lines: 8, heatmap: 8 } as const;

export function buildBoard({ name, title, description, variables, rows }: Board): Dashboard {
  const board = new DashboardBuilder(title)
    .uid(`sidelight-${name}`)
    .description(description)
    .tags(['sidelight'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .variables([...ownVariables(), ...variables.map(queryVariable)])
    .link(
      new DashboardLinkBuilder('Sidelight boards')
        .type(DashboardLinkType.Dashboards)
        .tags(['sidelight'])
        .asDropdown(true)
        .keepTime(true),
    )
    .link(new DashboardLinkBuilder('Sidelight').type(DashboardLinkType.Link).url('$sidelight').targetBlank(true));
  let id = 0;
  let y = 0;
  for (const row of rows) {
    const h = Math.max(...row.map(({ kind }) => HEIGHTS[kind]));
    const w = Math.floor(WIDTH / row.length);
    row.forEach((panel, index) => {
      board.withPanel(buildPanel(panel, { id: ++id, gridPos: { x: index * w, y, w, h } }));
    });
    y += h;
  }
  return board.build();
}

function ownVariables(): cog.Builder<VariableModel>[] {
  return [
    new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'),
    new TextBoxVariableBuilder('sidelight')
      .label('Sidelight')
      .description('Address of Sidelight’s own dashboard, for the links.')
      .defaultValue(SIDELIGHT_URL)
      .current({ selected: true, text: SIDELIGHT_URL, value: SIDELIGHT_URL }),
  ];
}

function queryVariable({ name, label, metric, of, many }: Variable): cog.Builder<VariableModel> {
  const variable = new QueryVariableBuilder(name)
    .label(label)
    .datasource({ type: 'prometheus', uid: '$datasource' })
    .query({ query: `label_values(${metric}, ${of})`, refId: name })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
  if (!many) return variable;
  return variable
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}
