/** Lines of Prometheus text (0.0.4) that may be Envoy's; those of others are leapt over without being read. */

import { NEWLINE } from './bytes.ts';
import { PREFIXES, type PrometheusLabels } from './prometheus-names.ts';
import { StatsError } from './stats.ts';

export interface Lines {
  /** Position of the next line that may be ours; negative at the end. */
  next(): number;
}

/** Walks the lines that may be ours; the others are leapt over by searching for the next start. */
export class OwnLines implements Lines {
  private readonly body: Buffer;
  private readonly upcoming: { start: Buffer; at: number }[];

  constructor(body: Buffer, prefixes: readonly string[] = Object.values(PREFIXES)) {
    this.body = body;
    this.upcoming = prefixes.map((prefix) => {
      const start = Buffer.from(`\n${prefix}`);
      const first = body.indexOf(start);
      const atTop = body.subarray(0, prefix.length).equals(start.subarray(1));
      return { start, at: atTop ? -1 : first < 0 ? body.length : first };
    });
  }

  next(): number {
    let nearest = this.upcoming[0];
    for (const one of this.upcoming) if (nearest && one.at < nearest.at) nearest = one;
    if (!nearest || nearest.at >= this.body.length) return -1;
    const line = nearest.at + 1;
    const lineEnd = this.body.indexOf(NEWLINE, line);
    const end = lineEnd < 0 ? this.body.length : lineEnd;
    nearest.at = this.startsAt(end, nearest.start) ? end : this.find(nearest.start, end);
    return line;
  }

  /** Whether the very next line is one of the same kind, as it is nearly always. */
  private startsAt(position: number, start: Buffer): boolean {
    for (let i = 0; i < start.length; i++) if (this.body[position + i] !== start[i]) return false;
    return true;
  }

  private find(start: Buffer, from: number): number {
    const found = this.body.indexOf(start, from);
    return found < 0 ? this.body.length : found;
  }
}

/** Fewer and shorter than those of the lines that are read, and so found a good deal faster. */
const SHORT_PREFIXES = ['envoy_', 'istio_'];
/** A body is searched in slices of this size, between which other work has its turn. */
const SLICE_BYTES = 1_000_000;

/**
 * A body without the lines that can't be ours, so that a long one of many programs is read in short turns: `pause` is
 * waited for between them. A body of one slice is left as it is.
 */
export async function withoutForeignLines(body: Buffer, pause: () => Promise<void>): Promise<Buffer> {
  if (body.length <= SLICE_BYTES) return body;
  const own: Buffer[] = [];
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf(NEWLINE, Math.min(body.length, start + SLICE_BYTES));
    const end = newline < 0 ? body.length : newline + 1;
    addOwnLines(body.subarray(start, end), own);
    start = end;
    await pause();
  }
  return Buffer.concat(own);
}

function addOwnLines(slice: Buffer, own: Buffer[]): void {
  const lines = new OwnLines(slice, SHORT_PREFIXES);
  let [start, end] = [0, 0];
  for (let line = lines.next(); line >= 0; line = lines.next()) {
    if (line !== end) {
      if (end > start) own.push(slice.subarray(start, end));
      start = line;
    }
    const newline = slice.indexOf(NEWLINE, line);
    end = newline < 0 ? slice.length : newline + 1;
  }
  if (end > start) own.push(slice.subarray(start, end));
}

/** A line's name and labels; `head` is everything before the blank and the value. @throws StatsError when it has none. */
export function splitLine(line: Buffer): { head: Buffer; metric: string; labels: PrometheusLabels } {
  const text = line.toString('utf8');
  const [matched, metric = '', labelText = ''] =
    /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\})? /.exec(text) ?? [];
  if (matched === undefined) throw new StatsError(`not a line of Prometheus text: "${text.slice(0, 60)}"`);
  const labels = Object.fromEntries(labelPairs(labelText).map(([, name = '', value = '']) => [name, unescaped(value)]));
  return { head: line.subarray(0, Buffer.byteLength(matched) - 1), metric, labels };
}

/** Pairs up to the first thing that is none; each begins where the one before ended, so that no text is walked twice. */
function labelPairs(text: string): RegExpExecArray[] {
  const pair = /[ ,]*([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/y;
  const pairs: RegExpExecArray[] = [];
  for (let found = pair.exec(text); found; found = pair.exec(text)) pairs.push(found);
  return pairs;
}

function unescaped(value: string): string {
  return value.includes('\\')
    ? value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
    : value;
}
