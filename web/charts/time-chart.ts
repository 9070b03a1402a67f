/** The only user of Chart.js: one chart over time, created once and updated in place. Nothing in it moves by itself. */

import {
  Chart,
  type ChartConfiguration,
  type ChartDataset,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  type Point,
  PointElement,
  type Scale,
} from 'chart.js';
import { axisTime } from '../format/time.ts';
import { axisLabel, type ChartUnit, successFloor } from './axis-label.ts';
import { axisTimes } from './axis-times.ts';
import { type ChartData, isLone } from './chart-data.ts';
import { eventMarks } from './event-marks.ts';
import { heatMarks } from './heat-marks.ts';
import { cursorMark, type Drawn, emptyMark, gapMarks, limitMark, nameMarks, selectionMark } from './marks.ts';
import { type LineChart, roomForNames, setNames } from './names-room.ts';
import { dashOf, hatch, type Palette } from './palette.ts';

Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale, Filler);

export interface TimeChartOptions {
  readonly kind: 'stacked' | 'lines';
  readonly unit: ChartUnit;
  readonly logarithmic: boolean;
}

export interface TimeChart {
  update(data: ChartData, palette: Palette): void;
  /** Draws the shared cursor anew. */
  redraw(): void;
  /** The moment under a point of the page. */
  momentAt(clientX: number): number;
  destroy(): void;
}

const AXIS_WIDTH = 64;
const LEAST_TICK_DISTANCE = 72;

export function createTimeChart(
  canvas: HTMLCanvasElement,
  data: ChartData,
  palette: Palette,
  options: TimeChartOptions,
): TimeChart {
  let drawn: Drawn = { data, palette, stacked: options.kind === 'stacked' };
  const chart: LineChart = new Chart(
    canvas,
    configuration(() => drawn, options),
  );
  const update = () => {
    chart.data.datasets = [...datasets(drawn, canvas), ...ghostDatasets(drawn)];
    applyTimes(chart, drawn);
    applyFloor(chart, drawn, options);
    applyLimit(chart, drawn);
    chart.update('none');
  };
  update();
  return {
    update(nextData, nextPalette) {
      drawn = { ...drawn, data: nextData, palette: nextPalette };
      update();
    },
    redraw: () => chart.draw(),
    momentAt: (clientX) => chart.scales.x?.getValueForPixel(clientX - canvas.getBoundingClientRect().left) ?? 0,
    destroy() {
      setNames(chart, null);
      chart.destroy();
    },
  };
}

function datasets({ data, palette, stacked }: Drawn, canvas: HTMLCanvasElement): ChartDataset<'line', Point[]>[] {
  const context = canvas.getContext('2d');
  return data.lines.map(({ key, label, values }, index) => {
    const colour = palette.of(key);
    return {
      label,
      data: values.map((value, at) => ({ x: (data.times[at] ?? 0) + data.stepMs / 2, y: value ?? Number.NaN })),
      borderColor: colour,
      borderWidth: stacked ? 1.5 : 1.75,
      borderDash: dashOf(key),
      pointRadius: values.map((_, at) => (isLone(values, at) ? 2 : 0)),
      pointBackgroundColor: colour,
      pointBorderWidth: 0,
      ...(stacked
        ? { fill: index === 0 ? 'origin' : '-1', backgroundColor: fillOf(key, colour, palette, context) }
        : { fill: false }),
    };
  });
}

/** Last, so that it lies behind all others. */
function ghostDatasets({ data: { ghost }, palette }: Drawn): ChartDataset<'line', Point[]>[] {
  if (!ghost) return [];
  return [
    {
      label: ghost.label,
      data: ghost.values.map((value, at) => ({ x: (ghost.times[at] ?? 0) + ghost.stepMs / 2, y: value ?? Number.NaN })),
      borderColor: palette.of('ghost'),
      borderWidth: 1,
      pointRadius: ghost.values.map((_, at) => (isLone(ghost.values, at) ? 2 : 0)),
      pointBackgroundColor: palette.of('ghost'),
      pointBorderWidth: 0,
      fill: false,
      stack: 'ghost',
    },
  ];
}

/** Server errors are told by a hatch as well as by their colour. */
function fillOf(key: string, colour: string, palette: Palette, context: CanvasRenderingContext2D | null) {
  if (key === '5xx' && context) return hatch(context, colour, palette.panel);
  return `${colour}59`;
}

function configuration(
  drawn: () => Drawn,
  { kind, unit, logarithmic }: TimeChartOptions,
): ChartConfiguration<'line', Point[]> {
  return {
    type: 'line',
    data: { datasets: [] },
    plugins: [
      heatMarks(drawn),
      gapMarks(drawn),
      emptyMark(drawn),
      limitMark(drawn),
      eventMarks(drawn),
      selectionMark(drawn),
      cursorMark(drawn),
      nameMarks(drawn),
    ],
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      parsing: false,
      normalized: true,
      events: [],
      spanGaps: false,
      scales: {
        x: timeAxis(drawn),
        y: {
          ...valueAxis(drawn, unit),
          ...(logarithmic ? { type: 'logarithmic', afterBuildTicks: keepRoundTicks } : { type: 'linear', min: 0 }),
          stacked: kind === 'stacked',
        },
      },
    },
  };
}

function timeAxis(drawn: () => Drawn) {
  let stepMs = 1000;
  return {
    type: 'linear' as const,
    grid: { display: false },
    border: { display: false },
    afterBuildTicks(axis: Scale) {
      const most = Math.max(2, Math.floor((axis.chart.width - AXIS_WIDTH) / LEAST_TICK_DISTANCE));
      const marks = axisTimes(axis.min, axis.max, most);
      stepMs = marks.stepMs;
      axis.ticks = marks.times.map((value) => ({ value }));
    },
    ticks: {
      autoSkip: false,
      maxRotation: 0,
      color: () => drawn().palette.soft,
      callback: (value: number | string) => axisTime(Number(value), stepMs),
    },
  };
}

/** Of a logarithmic axis: 1, 2, 5, 10, 20, 50 and so on. */
function keepRoundTicks(axis: Scale): void {
  const isRound = (value: number) => ['1', '2', '5'].includes(value.toExponential(0).charAt(0));
  axis.ticks = axis.ticks.filter(({ value }) => isRound(value));
}

const MOST_VALUE_TICKS = 5;

function valueAxis(drawn: () => Drawn, unit: ChartUnit) {
  return {
    grid: { color: () => drawn().palette.line, drawTicks: false },
    border: { display: false },
    suggestedMax: 1,
    afterFit(axis: Scale) {
      axis.width = AXIS_WIDTH;
    },
    ticks: {
      maxTicksLimit: MOST_VALUE_TICKS,
      padding: 8,
      color: () => drawn().palette.soft,
      callback: (value: number | string) => axisLabel(Number(value), unit),
    },
  };
}

/** Successes are close to one another near the top, so their axis begins where they do. */
function applyFloor(chart: LineChart, { data }: Drawn, { unit }: TimeChartOptions): void {
  const axis = chart.options.scales?.y;
  if (unit !== 'success' || !axis) return;
  const values = [...data.lines.flatMap((line) => line.values), ...(data.ghost?.values ?? [])];
  Object.assign(axis, { min: successFloor(values), max: 1 });
}

/** A limit is within the axis, however far the values stay from it. */
function applyLimit(chart: LineChart, { data: { limit } }: Drawn): void {
  const axis = chart.options.scales?.y;
  if (limit && axis) Object.assign(axis, { suggestedMax: limit.value * 1.1 });
}

function applyTimes(chart: LineChart, { data, palette }: Drawn): void {
  const axis = chart.options.scales?.x;
  if (axis) Object.assign(axis, { min: data.from, max: data.to });
  setNames(
    chart,
    data.lines.map(({ label }) => label),
  );
  Object.assign(chart.options, {
    color: palette.soft,
    font: { family: palette.font, size: 12 },
    layout: { padding: (context: { chart: LineChart }) => ({ right: roomForNames(context.chart), top: 6 }) },
  });
}
