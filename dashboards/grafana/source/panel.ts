import type * as cog from '@grafana/grafana-foundation-sdk/cog';
import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  type Panel as GrafanaPanel,
  type GridPos,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as HeatmapBuilder } from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

export interface Panel {
  readonly kind: 'stat' | 'lines' | 'heatmap';
  readonly title: string;
  readonly description: string;
  /** Of Grafana: `s`, `reqps`, `percentunit`, … */
  readonly unit: string;
  /** Expressions by the name of what they show, in Grafana's `{{label}}` form. */
  readonly queries: readonly { readonly expression: string; readonly legend: string }[];
  /** From which value on it is yellow, and red. */
  readonly thresholds?: { readonly warning?: number; readonly bad: number };
  /** The service's page in Sidelight: that of the series' own label, or that of the board's variable. */
  readonly link?: 'series' | 'variable';
  /** The scale begins here, so that noise does not look like a change. */
  readonly min?: number;
}

interface Place {
  readonly id: number;
  readonly gridPos: GridPos;
}

const SERVICES = {
  series: `\${sidelight}/services/\${__field.labels.service}`,
  variable: `\${sidelight}/services/\${service}`,
} as const;

const BUILDERS: Readonly<Record<Panel['kind'], () => AnyBuilder>> = {
  stat: () => new StatBuilder().reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull'])),
  lines: () =>
    new LinesBuilder()
      .legend(
        new VizLegendOptionsBuilder()
          .displayMode(LegendDisplayMode.List)
          .placement(LegendPlacement.Bottom)
          .showLegend(true),
      )
      .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed))
      .fillOpacity(0),
  heatmap: () => new HeatmapBuilder().calculate(false),
};

type AnyBuilder = StatBuilder | LinesBuilder | HeatmapBuilder;

export function buildPanel(panel: Panel, { id, gridPos }: Place): cog.Builder<GrafanaPanel> {
  const { kind, title, description, unit, thresholds, link, min } = panel;
  const builder = BUILDERS[kind]();
  builder
    .id(id)
    .title(title)
    .description(description)
    .gridPos(gridPos)
    .datasource({ type: 'prometheus', uid: '$datasource' })
    .targets(panel.queries.map((query, index) => target(query, { kind, index })))
    .unit(unit)
    .noValue('no data')
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps(thresholds)));
  if (min !== undefined) builder.min(min);
  if (link) builder.dataLinks([new DashboardLinkBuilder('Open in Sidelight').url(SERVICES[link]).targetBlank(true)]);
  return builder;
}

function target(
  { expression, legend }: Panel['queries'][number],
  { kind, index }: { kind: Panel['kind']; index: number },
): DataqueryBuilder {
  return new DataqueryBuilder()
    .expr(expression)
    .legendFormat(legend)
    .refId(String.fromCharCode(65 + index))
    .range()
    .format(kind === 'heatmap' ? PromQueryFormat.Heatmap : PromQueryFormat.TimeSeries);
}

function steps(thresholds: Panel['thresholds']): { value: number | null; color: string }[] {
  const base = { value: null, color: 'green' };
  if (!thresholds) return [base];
  const warning = thresholds.warning === undefined ? [] : [{ value: thresholds.warning, color: 'yellow' }];
  return [base, ...warning, { value: thresholds.bad, color: 'red' }];
}
