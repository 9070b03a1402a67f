/** Bodies of real Envoys in every form, cut into parts that stand for themselves. */

import { readdirSync } from 'node:fs';
import type { Random } from '../../examples/meshes/random.ts';
import { capture, captureJson } from '../envoy/captures.ts';
import { FORM_NAMES, type FormName } from '../envoy/five-forms.ts';
import { PRODUCTS } from '../fixtures/products/products.ts';
import { productBody } from '../fixtures/products/recorded.ts';

/** One body: what it lists, each entry as its own text, histograms apart. */
interface Source {
  readonly scalars: readonly string[];
  readonly histograms: readonly string[];
  join(scalars: readonly string[], histograms: readonly string[]): Buffer;
}

interface JsonStats {
  readonly stats: readonly (
    | { readonly name: string; readonly value: number | string }
    | { readonly histograms: { readonly details: readonly object[] } | readonly BucketHistogram[] }
  )[];
}

interface BucketHistogram {
  readonly name: string;
  readonly buckets: readonly { readonly upper_bound: number; readonly interval: number; readonly cumulative: number }[];
}

/** One body in this many is whole. */
const WHOLE_EVERY = 400;
const MOST_SCALARS = 30;
const MOST_HISTOGRAMS = 5;

const SOURCES = new Map<FormName, readonly Source[]>(FORM_NAMES.map((form) => [form, sourcesOf(form)]));

/** A part of one of the form's fixtures, or now and then all of it. */
export function drawBody(form: FormName, random: Random): Buffer {
  const sources = SOURCES.get(form) ?? [];
  const source = sources[Math.floor(random() * sources.length)];
  if (!source) throw new Error(`there is no fixture of the form "${form}"`);
  const { scalars, histograms } = source;
  if (random() * WHOLE_EVERY < 1) return source.join(scalars, histograms);
  const at = random();
  return source.join(run(scalars, at, 3 + random() * MOST_SCALARS), run(histograms, at, random() * MOST_HISTOGRAMS));
}

/** A run of entries that starts at a share of the whole. */
function run(entries: readonly string[], at: number, count: number): readonly string[] {
  const start = Math.floor(at * entries.length);
  return entries.slice(start, start + Math.floor(count));
}

function sourcesOf(form: FormName): Source[] {
  if (form === 'text')
    return [...fixtures(/_?stats_?(?:detailed_usedonly)?\.txt$/).map(lines), ...ofProducts('txt')].map(textSource);
  if (form === 'prometheus') return [...fixtures(/\.prom$/).map(lines), ...ofProducts('prom')].map(prometheusSource);
  if (form === 'json') return fixtures(/stats_detailed_usedonly\.json$/).map(jsonSource);
  const cumulative = fixtures(/stats_cumulative_usedonly\.json$/);
  return cumulative.map(form === 'json-cumulative' ? jsonSource : (path) => textSource(cumulativeLines(path)));
}

function fixtures(name: RegExp): string[] {
  const folder = new URL('../fixtures/envoy/', import.meta.url);
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return paths
    .flatMap((path) => (path.endsWith('.gz') && name.test(path.slice(0, -3)) ? [path.slice(0, -3)] : []))
    .sort();
}

function lines(path: string): string[] {
  return linesOf(capture(path));
}

function ofProducts(form: 'txt' | 'prom'): string[][] {
  const recorded = form === 'txt' ? PRODUCTS : PRODUCTS.filter(({ prometheus }) => prometheus);
  return recorded.map(({ name }) => linesOf(productBody(name, form)));
}

function linesOf(body: Buffer): string[] {
  return body.toString('utf8').trimEnd().split('\n');
}

function textSource(all: readonly string[]): Source {
  const scalars: string[] = [];
  const histograms: string[] = [];
  for (const line of all) {
    if (line.startsWith('  ')) histograms.push(`${histograms.pop()}\n${line}`);
    else if (line.endsWith(':') || /: (?:B[\d.]|P0\(|No recorded)/.test(line)) histograms.push(line);
    else scalars.push(line);
  }
  return { scalars, histograms, join: (some, more) => Buffer.from(`${[...some, ...more].join('\n')}\n`) };
}

function prometheusSource(all: readonly string[]): Source {
  const isHistogram = (line: string) => /^[^{]*_(?:bucket|sum|count)\{/.test(line);
  return {
    scalars: all.filter((line) => !isHistogram(line)),
    histograms: histogramSeries(all.filter(isHistogram)),
    join: (some, more) => Buffer.from(`${[...some, ...more].join('\n')}\n`),
  };
}

/** Lines up to each `_count`, which ends a series. */
function histogramSeries(all: readonly string[]): string[] {
  const series: string[] = [];
  let open: string[] = [];
  for (const line of all) {
    open.push(line);
    if (!/^[^{]*_count\{/.test(line)) continue;
    series.push(open.join('\n'));
    open = [];
  }
  return series;
}

function jsonSource(path: string): Source {
  const { stats } = captureJson<JsonStats>(path);
  const scalars = stats.filter((entry) => !('histograms' in entry)).map((entry) => JSON.stringify(entry));
  const all = stats.flatMap((entry) => ('histograms' in entry ? [entry.histograms] : []))[0] ?? [];
  if ('details' in all)
    return { scalars, histograms: all.details.map((one) => JSON.stringify(one)), join: joinDetailed };
  return { scalars, histograms: all.map((one) => JSON.stringify(one)), join: joinCumulative };
}

function joinDetailed(scalars: readonly string[], histograms: readonly string[]): Buffer {
  const last = `{"histograms":{"supported_percentiles":[0,25,50,75,90,95,99,99.5,99.9,100],"details":[${histograms}]}}`;
  return Buffer.from(`{"stats":[${[...scalars, last]}]}`);
}

function joinCumulative(scalars: readonly string[], histograms: readonly string[]): Buffer {
  return Buffer.from(`{"stats":[${[...scalars, `{"histograms":[${histograms}]}`]}]}`);
}

/** The text that Envoy writes for cumulative buckets, of which there is no capture, from its JSON. */
function cumulativeLines(path: string): string[] {
  return captureJson<JsonStats>(path).stats.flatMap((entry) => {
    if (!('histograms' in entry)) return [`${entry.name}: ${entry.value}`];
    if ('details' in entry.histograms) return [];
    return entry.histograms.map(
      ({ name, buckets }) =>
        `${name}: ${buckets.map((one) => `B${one.upper_bound}(${one.interval},${one.cumulative})`).join(' ')}`,
    );
  });
}
