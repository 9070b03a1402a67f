import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { dateTime } from '../format/time.ts';
import { coloursVersion } from '../state/theme.ts';
import { type ChartUnit, valueLabel } from './axis-label.ts';
import { type ChartData, missing, shownStep, stepAt } from './chart-data.ts';
import { cursor } from './cursor.ts';
import { readPalette } from './palette.ts';
import { createTimeChart, type TimeChart, type TimeChartOptions } from './time-chart.ts';

interface ChartCanvasProps {
  readonly title: string;
  readonly data: ChartData;
  readonly options: TimeChartOptions;
}

/** The drawing itself. Pointer and arrow keys move the cursor that all charts of the page share. */
export function ChartCanvas({ title, data, options }: ChartCanvasProps) {
  const { canvas, chart } = useTimeChart(data, options);
  const step = shownStep(data, cursor.value);
  const pointAt = (event: PointerEvent) => {
    if (chart.current) cursor.value = data.times[stepAt(data, chart.current.momentAt(event.clientX))] ?? null;
  };
  const pointAway = () => {
    cursor.value = null;
  };
  const press = (event: KeyboardEvent) => {
    const moment = data.times[keyedStep(event.key, step, data.times.length) ?? -1];
    if (moment === undefined) return;
    event.preventDefault();
    cursor.value = moment;
  };
  return (
    <div
      class="canvas-box"
      role="slider"
      tabIndex={0}
      aria-label={`${title}: moment`}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, data.times.length - 1)}
      aria-valuenow={Math.max(0, step)}
      aria-valuetext={inWords(data, step, options.unit)}
      onPointerMove={pointAt}
      onPointerDown={pointAt}
      onPointerLeave={pointAway}
      onBlur={pointAway}
      onKeyDown={press}
    >
      <canvas ref={canvas} />
    </div>
  );
}

/** A chart that lives as long as its canvas, and follows data, colours and cursor. */
function useTimeChart(data: ChartData, options: TimeChartOptions) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const chart = useRef<TimeChart | null>(null);
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    if (!canvas.current) return;
    chart.current = createTimeChart(canvas.current, latest.current, readPalette(), options);
    return () => chart.current?.destroy();
  }, []);
  useEffect(() => chart.current?.update(data, readPalette()), [data]);
  useSignalEffect(() => {
    if (coloursVersion.value > 0) chart.current?.update(latest.current, readPalette());
  });
  useSignalEffect(() => {
    if (cursor.value === null || cursor.value > 0) chart.current?.redraw();
  });
  return { canvas, chart };
}

function keyedStep(key: string, step: number, steps: number): number | null {
  const targets: Readonly<Record<string, number>> = {
    ArrowLeft: step - 1,
    ArrowRight: step + 1,
    PageDown: step - 10,
    PageUp: step + 10,
    Home: 0,
    End: steps - 1,
  };
  const target = targets[key];
  return target === undefined ? null : Math.min(steps - 1, Math.max(0, target));
}

function inWords(data: ChartData, step: number, unit: ChartUnit): string {
  const time = data.times[step];
  if (time === undefined) return 'no data';
  const values = data.lines.map(({ label, values: each }) => {
    const value = each[step] ?? null;
    return `${label} ${value === null ? missing(data, step) : valueLabel(value, unit)}`;
  });
  return `${dateTime(time)}: ${values.join(', ')}`;
}
