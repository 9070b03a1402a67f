/** What is left out of the libraries is not missed: graphs are laid out, and charts drawn, as with the whole of them. */

import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { expect, test } from 'vitest';
import { withoutUnusedParts } from '../../../web/build/unused-parts.ts';
import type { ChartData } from '../../../web/charts/chart-data.ts';
import type { TimeChart, TimeChartOptions } from '../../../web/charts/time-chart.ts';
import type { Structure } from '../../../web/pages/topology/geometry.ts';
import { serviceGraph } from '../../../web/pages/topology/graph.ts';
import { place } from '../../../web/pages/topology/layout.ts';
import { launchBrowser } from '../../browser.ts';
import { fakeTopology } from '../fake-api/fake-calls.ts';
import { meshOfMany } from '../fake-api/fake-services.ts';
import { fc } from '../state/property.ts';

const WEB = join(import.meta.dirname, '../../../web');
const HOUR = { from: 1_763_700_000_000, to: 1_763_700_300_000, window: '5m', offsetMs: 0 };

/** One script of a module of the dashboard: as the dashboard is built, or with all of its libraries. */
async function scriptOf(file: string, how: 'built' | 'whole', format: 'es' | 'iife'): Promise<string> {
  const built = await build({
    configFile: how === 'built' ? join(WEB, 'vite.config.ts') : false,
    publicDir: false,
    logLevel: 'error',
    build: { write: false, lib: { entry: join(WEB, file), formats: [format], name: 'made' } },
  });
  const [output] = (Array.isArray(built) ? built : [built]) as Rolldown.RolldownOutput[];
  return output?.output[0].code ?? '';
}

test('the layout of graphs', async () => {
  const code = await scriptOf('pages/topology/layout.ts', 'built', 'es');
  expect(code).not.toMatch(/network-simplex|dijkstra|CycleException/);
  const made: { place: typeof place } = await import(
    `data:text/javascript;base64,${btoa(unescape(encodeURIComponent(code)))}`
  );
  for (const amount of [2, 12, 40, 90]) {
    const { nodes, edges } = serviceGraph(fakeTopology(meshOfMany(amount), HOUR), []);
    const structure = { nodes: nodes.map(({ id }) => id), edges };
    expect(made.place(structure)).toEqual(place(structure));
  }
  const end = fc.integer({ min: 0, max: 11 });
  await fc.assert(
    fc.property(fc.array(fc.tuple(end, end), { maxLength: 40 }), (calls) => {
      const structure: Structure = {
        nodes: Array.from({ length: 12 }, (_, id) => `n${id}`),
        edges: calls.map(([from, to], index) => ({ id: `${index}`, source: `n${from}`, target: `n${to}` })),
      };
      expect(made.place(structure)).toEqual(place(structure));
    }),
  );
});

const STEP = 15_000;
const times = Array.from({ length: 60 }, (_, index) => 1_763_700_000_000 + index * STEP);
const wave = (size: number, shift: number) =>
  times.map((_, index) => (index > 20 && index < 27 ? null : size * (1.5 + Math.sin(index / 5 + shift))));

const DATA: ChartData = {
  from: times[0] ?? 0,
  to: (times.at(-1) ?? 0) + STEP,
  stepMs: STEP,
  times,
  lines: [
    { key: 'p50', label: 'p50', values: wave(3, 0) },
    {
      key: 'p95',
      label: 'p95',
      values: wave(40, 1).map((value, index) => (index === 30 || index % 9 > 0 ? value : null)),
    },
    { key: '5xx', label: '5xx', values: wave(900, 2) },
  ],
  requests: wave(1, 0),
  gaps: [{ from: (times[0] ?? 0) + 21 * STEP, to: (times[0] ?? 0) + 27 * STEP }],
  ghost: { label: '1 day ago', values: wave(60, 3), times, stepMs: STEP },
  limit: { label: 'threshold', value: 1200 },
};

const LESS: ChartData = { ...DATA, lines: DATA.lines.slice(0, 1), ghost: null, limit: null };

const CHARTS: readonly TimeChartOptions[] = [
  { kind: 'lines', unit: 'latency', logarithmic: false },
  { kind: 'lines', unit: 'latency', logarithmic: true },
  { kind: 'stacked', unit: 'rate', logarithmic: false },
  { kind: 'lines', unit: 'success', logarithmic: false },
];

/** Pictures of each chart: when new, with other data, and in a wider and lower place. */
async function pictures(page: Page, script: string): Promise<string[]> {
  await page.setContent('<style>div { width: 520px; height: 180px }</style>');
  await page.addScriptTag({ content: script });
  return page.evaluate(draw, { data: DATA, less: LESS, charts: CHARTS });
}

interface Wanted {
  readonly data: ChartData;
  readonly less: ChartData;
  readonly charts: readonly TimeChartOptions[];
}

async function draw({ data, less, charts }: Wanted): Promise<string[]> {
  const create = (globalThis as { made?: { createTimeChart(...of: readonly unknown[]): TimeChart } }).made
    ?.createTimeChart;
  if (!create) throw new Error('the script makes no charts');
  const [ink, font] = ['#223344', 'sans-serif'];
  const palette = { ink, soft: ink, line: '#dddddd', panel: '#ffffff', accent: ink, font, of: () => '#aa5500' };
  const seen: string[] = [];
  for (const options of charts) {
    const box = document.body.appendChild(document.createElement('div'));
    const canvas = box.appendChild(document.createElement('canvas'));
    const chart = create(canvas, data, palette, options);
    seen.push(canvas.toDataURL());
    chart.update(less, palette);
    seen.push(canvas.toDataURL());
    const width = canvas.width;
    box.style.width = '700px';
    box.style.height = '140px';
    while (canvas.width === width) await new Promise(requestAnimationFrame);
    seen.push(canvas.toDataURL());
    chart.destroy();
  }
  return seen;
}

test('the drawing of charts', async () => {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    const [whole, built] = await Promise.all([
      scriptOf('charts/time-chart.ts', 'whole', 'iife'),
      scriptOf('charts/time-chart.ts', 'built', 'iife'),
    ]);
    expect(built.length).toBeLessThan(whole.length * 0.85);
    const expected = await pictures(page, whole);
    expect(new Set(expected).size).toBe(CHARTS.length * 3);
    expect(await pictures(page, built)).toEqual(expected);
  } finally {
    await browser.close();
  }
});

const SOURCE = 'class A { kept() {} gone() {} }\nfunction unused() { return 1; }\nswitch (a) { case "x": b(); }';

function transformed(stubs: Record<string, string>, find = /case "x": b\(\);/): unknown {
  const { transform } = withoutUnusedParts([{ file: 'lib.js', stubs, edits: [{ find, replace: '' }] }]);
  if (typeof transform !== 'function') throw new Error('the plugin transforms nothing');
  return Reflect.apply(transform, null, [SOURCE, '/some/lib.js']);
}

test('parts go by their names and by their text', () =>
  expect(transformed({ 'A.gone': '', unused: 'function unused() {}' })).toEqual({
    code: 'class A { kept() {}  }\nfunction unused() {}\nswitch (a) {  }',
    map: null,
  }));

test('what is no longer there fails the build', () => {
  expect(() => transformed({ 'A.other': '' })).toThrow('lib.js has no A.other to leave out');
  expect(() => transformed({}, /case "y"/)).toThrow('lib.js has nothing like /case "y"/ to leave out');
});
