/** The spread of latencies behind the lines of their percentiles. */

import type { Plugin, Scale } from 'chart.js';
import { type Heat, heatStrength } from './heat.ts';
import type { Drawn } from './marks.ts';

const STRONGEST = 0.6;

export function heatMarks(drawn: () => Drawn): Plugin<'line'> {
  return {
    id: 'heat',
    beforeDatasetsDraw(chart) {
      const { data, palette } = drawn();
      const { x, y } = chart.scales;
      if (!data.heat || !x || !y) return;
      const { ctx, chartArea } = chart;
      ctx.save();
      ctx.beginPath();
      ctx.rect(chartArea.left, chartArea.top, chartArea.right - chartArea.left, chartArea.bottom - chartArea.top);
      ctx.clip();
      ctx.fillStyle = palette.of('heat');
      drawCells(ctx, data.heat, { x, y });
      ctx.restore();
    },
  };
}

function drawCells(ctx: CanvasRenderingContext2D, heat: Heat, { x, y }: { x: Scale; y: Scale }): void {
  const tops = heat.bounds.map(([, upper]) => Math.round(y.getPixelForValue(upper ?? y.max)));
  const bottoms = heat.bounds.map(([lower]) => Math.round(y.getPixelForValue(Math.max(lower, y.min))));
  for (const [column, counts] of heat.counts.entries()) {
    const start = heat.times[column];
    if (!counts || start === undefined) continue;
    const left = Math.round(x.getPixelForValue(start));
    const width = Math.round(x.getPixelForValue(start + heat.stepMs)) - left;
    for (const [row, count] of counts.entries()) {
      const [top, bottom] = [tops[row], bottoms[row]];
      if (count <= 0 || top === undefined || bottom === undefined) continue;
      ctx.globalAlpha = STRONGEST * heatStrength(count, heat.most);
      ctx.fillRect(left, top, width, Math.max(1, bottom - top));
    }
  }
}
