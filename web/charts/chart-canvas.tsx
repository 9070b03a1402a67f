import { effect, useSignalEffect } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import { dateTime } from '../format/time.ts';
import { timeZone } from '../format/zone.ts';
import { changeView } from '../state/router.ts';
import { coloursVersion } from '../state/theme.ts';
import { type ChartUnit, valueLabel } from './axis-label.ts';
import { type ChartData, missing, shownStep, stepAt } from './chart-data.ts';
import { eventInWords, eventsAt } from './chart-events.ts';
import { chartSummary } from './chart-summary.ts';
import { cursor } from './cursor.ts';
import { readPalette } from './palette.ts';
import { selectedRange, selection } from './selection.ts';
import { createTimeChart, type TimeChart, type TimeChartOptions } from './time-chart.ts';

interface ChartCanvasProps {
  readonly title: string;
  readonly data: ChartData;
  readonly options: TimeChartOptions;
}

/**
 * The drawing itself. Pointer and arrow keys move the cursor that all charts of the page share; dragging, or the arrow
 * keys with Shift and then Enter, mark a time and look at it alone.
 */
export function ChartCanvas({ title, data, options }: ChartCanvasProps) {
  const { canvas, chart } = useTimeChart(data, options);
  const step = shownStep(data, cursor.value);
  const drag = useDrag(data, chart);
  const summary = useId();
  return (
    <>
      <p class="unseen" id={summary}>
        {chartSummary(data, options.unit)}
      </p>
      <div
        class="canvas-box"
        role="slider"
        tabIndex={0}
        aria-label={`${title}: moment`}
        aria-description="Drag, or mark with Shift and the arrow keys and press Enter, to look at a shorter time"
        aria-details={summary}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, data.times.length - 1)}
        aria-valuenow={Math.max(0, step)}
        aria-valuetext={inWords(data, step, options.unit)}
        {...drag}
        onBlur={leave}
        onKeyDown={(event) => press(event, data, step)}
      >
        <canvas ref={canvas} />
      </div>
    </>
  );
}

function leave(): void {
  cursor.value = null;
  selection.value = null;
}

/** Looks at what is marked: figures and charts of the page cover that time alone, until one goes back. */
function zoomIn(stepMs: number): void {
  const marked = selection.peek();
  selection.value = null;
  if (marked) changeView({ range: selectedRange(marked.start, marked.end, stepMs), pausedAt: null });
}

/** A drag shorter than this is a click. */
const LEAST_DRAG_PX = 6;

/** A finger that moves reads values, and scrolls the page; only a mouse or a pen marks. */
function useDrag(data: ChartData, chart: { readonly current: TimeChart | null }) {
  const pressedAt = useRef<{ readonly x: number; readonly moment: number } | null>(null);
  const momentAt = (event: PointerEvent) => {
    const moment = chart.current?.momentAt(event.clientX) ?? data.from;
    return Math.min(data.to, Math.max(data.from, moment));
  };
  const point = (event: PointerEvent) => {
    cursor.value = data.times[stepAt(data, momentAt(event))] ?? null;
    const start = pressedAt.current;
    const { left } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    if (start === null || Math.abs(event.clientX - left - start.x) < LEAST_DRAG_PX) return;
    selection.value = { start: start.moment, end: momentAt(event) };
  };
  const down = (event: PointerEvent) => {
    point(event);
    if (event.pointerType === 'touch' || event.button !== 0) return;
    const box = event.currentTarget as HTMLElement;
    box.setPointerCapture(event.pointerId);
    pressedAt.current = { x: event.clientX - box.getBoundingClientRect().left, moment: momentAt(event) };
  };
  const up = () => {
    pressedAt.current = null;
    zoomIn(data.stepMs);
  };
  const away = () => {
    if (pressedAt.current === null) cursor.value = null;
  };
  const cancel = () => {
    pressedAt.current = null;
    leave();
  };
  return { onPointerMove: point, onPointerDown: down, onPointerUp: up, onPointerLeave: away, onPointerCancel: cancel };
}

/** A chart that lives as long as its canvas, and follows data, colours, time zone, cursor and what is marked. */
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
  // At once, not with the next frame: paper does not wait for one.
  useEffect(
    () =>
      effect(() => {
        if (coloursVersion.value >= 0 && timeZone.value) chart.current?.update(latest.current, readPalette());
      }),
    [],
  );
  useSignalEffect(() => {
    const marks = [cursor.value, selection.value];
    if (marks.length > 0) chart.current?.redraw();
  });
  return { canvas, chart };
}

/** Moves the cursor; with Shift it marks as it goes, and Enter looks at what is marked. */
function press(event: KeyboardEvent, data: ChartData, step: number): void {
  if (event.key === 'Escape') selection.value = null;
  if (event.key === 'Enter') zoomIn(data.stepMs);
  const moment = data.times[keyedStep(event.key, step, data.times.length) ?? -1];
  if (moment === undefined) return;
  event.preventDefault();
  const start = selection.peek()?.start ?? data.times[step] ?? moment;
  selection.value = event.shiftKey ? { start, end: moment } : null;
  cursor.value = moment;
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
  return [`${dateTime(time)}: ${values.join(', ')}`, ...eventsAt(data, step).map(eventInWords)].join('. ');
}
