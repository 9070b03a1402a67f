/** What is drawn over and under the lines of a chart: gaps, the shared cursor, and the lines' names. */

import type { Chart, Plugin } from 'chart.js';
import { type ChartData, stepAt } from './chart-data.ts';
import { cursor } from './cursor.ts';
import { spreadLabels, type WantedLabel } from './end-labels.ts';
import { isNamed } from './names-room.ts';
import { hatch, type Palette } from './palette.ts';
import { selection } from './selection.ts';

/** What the marks need to know of the chart at the moment of drawing. */
export interface Drawn {
  readonly data: ChartData;
  readonly palette: Palette;
  readonly stacked: boolean;
}

const FLOOR_HEIGHT = 10;
const LABEL_FROM_WIDTH = 64;
const LABEL_HEIGHT = 14;

/** A gap has a hatched floor, and says so where there is room. */
export function gapMarks(drawn: () => Drawn): Plugin<'line'> {
  return {
    id: 'gaps',
    beforeDatasetsDraw(chart) {
      const { data, palette } = drawn();
      const { ctx, chartArea, scales } = chart;
      const time = scales.x;
      if (!time) return;
      ctx.save();
      for (const gap of data.gaps) {
        const left = time.getPixelForValue(gap.from);
        const width = time.getPixelForValue(gap.to) - left;
        ctx.fillStyle = hatch(ctx, palette.soft, palette.panel);
        ctx.fillRect(left, chartArea.bottom - FLOOR_HEIGHT, width, FLOOR_HEIGHT);
        if (width < LABEL_FROM_WIDTH) continue;
        ctx.fillStyle = palette.soft;
        ctx.font = `12px ${palette.font}`;
        ctx.textAlign = 'center';
        ctx.fillText('no data', left + width / 2, chartArea.bottom - FLOOR_HEIGHT - 5);
      }
      ctx.restore();
    },
  };
}

/** Where nothing was asked for in all the time shown, the chart says so instead of only being empty. */
export function emptyMark(drawn: () => Drawn): Plugin<'line'> {
  return {
    id: 'empty',
    afterDatasetsDraw(chart) {
      const { data, palette } = drawn();
      const hasValue = data.lines.some(({ values }) => values.some((value) => value !== null));
      if (hasValue || !data.requests.includes(0)) return;
      const { ctx, chartArea } = chart;
      ctx.save();
      ctx.fillStyle = palette.soft;
      ctx.font = `13px ${palette.font}`;
      ctx.textAlign = 'center';
      ctx.fillText('no requests', (chartArea.left + chartArea.right) / 2, (chartArea.top + chartArea.bottom) / 2 - 8);
      ctx.restore();
    },
  };
}

/** A dashed line across, with what it is. */
export function limitMark(drawn: () => Drawn): Plugin<'line'> {
  return {
    id: 'limit',
    afterDatasetsDraw(chart) {
      const { data, palette } = drawn();
      const y = chart.scales.y?.getPixelForValue(data.limit?.value ?? Number.NaN) ?? Number.NaN;
      const { ctx, chartArea } = chart;
      if (!data.limit || !(y >= chartArea.top && y <= chartArea.bottom)) return;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = palette.ink;
      ctx.setLineDash([8, 4]);
      ctx.beginPath();
      ctx.moveTo(chartArea.left, Math.round(y) + 0.5);
      ctx.lineTo(chartArea.right, Math.round(y) + 0.5);
      ctx.stroke();
      ctx.font = `12px ${palette.font}`;
      ctx.textAlign = 'left';
      ctx.fillText(data.limit.label, chartArea.left + 6, y - 5);
      ctx.restore();
    },
  };
}

/** A hairline through the step that the reader points at, in every chart of the page. */
export function cursorMark(drawn: () => Drawn): Plugin<'line'> {
  return {
    id: 'cursor',
    afterDatasetsDraw(chart) {
      const moment = cursor.peek();
      const { data, palette } = drawn();
      const start = moment === null ? undefined : data.times[stepAt(data, moment)];
      const time = chart.scales.x;
      if (start === undefined || !time) return;
      const { ctx, chartArea } = chart;
      const x = Math.round(time.getPixelForValue(start + data.stepMs / 2)) + 0.5;
      ctx.save();
      ctx.strokeStyle = palette.accent;
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
      ctx.restore();
    },
  };
}

/** The stretch of time that is being marked. */
export function selectionMark(drawn: () => Drawn): Plugin<'line'> {
  return {
    id: 'selection',
    afterDatasetsDraw(chart) {
      const marked = selection.peek();
      const time = chart.scales.x;
      if (!marked || !time) return;
      const { ctx, chartArea } = chart;
      const [from, to] = [marked.start, marked.end].sort((a, b) => a - b).map((at) => time.getPixelForValue(at));
      const left = Math.max(chartArea.left, from ?? 0);
      const width = Math.min(chartArea.right, to ?? 0) - left;
      ctx.save();
      ctx.fillStyle = drawn().palette.accent;
      ctx.globalAlpha = 0.14;
      ctx.fillRect(left, chartArea.top, width, chartArea.bottom - chartArea.top);
      ctx.restore();
    },
  };
}

/** The name of each line at its right end. */
export function nameMarks(drawn: () => Drawn): Plugin<'line'> {
  return {
    id: 'names',
    afterDatasetsDraw(chart) {
      const { data, palette, stacked } = drawn();
      const { ctx, chartArea } = chart;
      if (!isNamed(chart)) return;
      const room = {
        top: chartArea.top + LABEL_HEIGHT / 2,
        bottom: chartArea.bottom - LABEL_HEIGHT / 2,
        lineHeight: LABEL_HEIGHT,
      };
      ctx.save();
      ctx.font = `600 12px ${palette.font}`;
      ctx.textBaseline = 'middle';
      for (const { key, label, y } of spreadLabels(wantedLabels(chart, data, stacked), room)) {
        ctx.fillStyle = palette.of(key);
        ctx.fillText(label, chartArea.right + 6, y);
      }
      ctx.restore();
    },
  };
}

/** Each name at the height of its line's last value, in a stack in the middle of its band; the upper one first. */
function wantedLabels(chart: Chart<'line'>, data: ChartData, stacked: boolean): WantedLabel[] {
  const scale = chart.scales.y;
  const last = data.times.findLastIndex((_, index) => data.lines.some(({ values }) => values[index] !== null));
  if (!scale || last < 0) return [];
  let below = 0;
  return data.lines
    .flatMap(({ key, label, values }) => {
      const value = values[last] ?? null;
      if (value === null) return [];
      const y = scale.getPixelForValue(stacked ? below + value / 2 : value);
      below += value;
      return [{ key, label, y }];
    })
    .reverse();
}
