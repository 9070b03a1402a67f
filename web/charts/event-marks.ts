/** Alerts and starts in a chart: a thin line with a flag. Their shapes differ, and their lines do, not only their colours. */

import type { ChartArea, Plugin, Scale } from 'chart.js';
import type { ChartEvent } from './chart-events.ts';
import type { Drawn } from './marks.ts';
import type { Palette } from './palette.ts';

const FLAG = 9;
const BAND_HEIGHT = 3;
const START_DASH = [3, 3];
/** Flags closer to one another than this are drawn as one. */
const LEAST_DISTANCE = 3;

export function eventMarks(drawn: () => Drawn): Plugin<'line'> {
  return {
    id: 'events',
    afterDatasetsDraw(chart) {
      const { data, palette } = drawn();
      const { ctx, chartArea, scales } = chart;
      if (!data.events || data.events.length === 0 || !scales.x) return;
      ctx.save();
      ctx.lineWidth = 1;
      for (const kind of ['start', 'alert'] as const) {
        const events = data.events.filter((event) => event.kind === kind);
        drawKind(ctx, events, { time: scales.x, area: chartArea, palette });
      }
      ctx.restore();
    },
  };
}

interface Place {
  readonly time: Scale;
  readonly area: ChartArea;
  readonly palette: Palette;
}

function drawKind(ctx: CanvasRenderingContext2D, events: readonly ChartEvent[], { time, area, palette }: Place): void {
  let last = Number.NEGATIVE_INFINITY;
  for (const { kind, from, to } of events) {
    const x = Math.round(time.getPixelForValue(from)) + 0.5;
    ctx.strokeStyle = ctx.fillStyle = kind === 'alert' ? palette.of('bad') : palette.soft;
    if (kind === 'alert') {
      const left = Math.max(area.left, x);
      const right = to === null ? area.right : Math.min(area.right, time.getPixelForValue(to));
      ctx.fillRect(left, area.top, Math.max(1, right - left), BAND_HEIGHT);
    }
    if (x < area.left || x - last < LEAST_DISTANCE) continue;
    last = x;
    ctx.setLineDash(kind === 'start' ? START_DASH : []);
    ctx.beginPath();
    ctx.moveTo(x, area.top);
    ctx.lineTo(x, area.bottom);
    ctx.stroke();
    ctx.setLineDash([]);
    if (kind === 'alert') alertFlag(ctx, x, area.top);
    else startFlag(ctx, x, { y: area.bottom - FLAG / 2 - 1, background: palette.panel });
  }
}

/** A triangle that points away from the line, at its top. */
function alertFlag(ctx: CanvasRenderingContext2D, x: number, y: number): void {
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x + FLAG, y + FLAG / 2 + 1);
  ctx.lineTo(x, y + FLAG + 2);
  ctx.fill();
}

/** An open circle, at the line's foot. */
function startFlag(
  ctx: CanvasRenderingContext2D,
  x: number,
  { y, background }: { y: number; background: string },
): void {
  ctx.beginPath();
  ctx.arc(x, y, FLAG / 2 - 0.5, 0, 2 * Math.PI);
  ctx.fillStyle = background;
  ctx.fill();
  ctx.lineWidth = 1.5;
  ctx.stroke();
  ctx.lineWidth = 1;
}
