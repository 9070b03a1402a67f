/** What the readers of stats leave out before any name is looked at; for whoever wants to know where lines went. */

import { NEWLINE } from './bytes.ts';
import { OwnLines, splitLine } from './prometheus-lines.ts';
import { type PrometheusLabels, readMetric, type UnreadMetric } from './prometheus-names.ts';
import type { BodyForm } from './stats-form.ts';
import { textReadouts } from './stats-json.ts';
import { entryName, KIND, readLayout, type TextLayout } from './text-layout.ts';

/** `text`: a text, or a histogram without samples; `quantiles`: a histogram by quantiles. */
export type UnreadReason = UnreadMetric | 'text' | 'quantiles';

export interface UnreadLine {
  /** Without other labels than the cluster's or connection manager's name. */
  readonly name: string;
  readonly why: UnreadReason;
}

export interface UnreadLines {
  readonly lines: readonly UnreadLine[];
  /** How many more lines are metrics of other programs, or of parts of Envoy without requests. */
  readonly foreign: number;
}

const LINES: Readonly<Record<BodyForm, (body: Buffer) => UnreadLines>> = {
  text: (body) => ({ lines: unreadEntries(readLayout(body)), foreign: 0 }),
  json: (body) => ({ lines: textReadouts(body).map((name) => ({ name, why: 'text' })), foreign: 0 }),
  prometheus: (body) => unreadMetrics(body),
};

/** Lines of a body that are in no reading of it. @throws StatsError when the body is not of that form. */
export function unreadLines(body: Buffer, form: BodyForm): UnreadLines {
  return LINES[form](body);
}

function unreadEntries(layout: TextLayout): UnreadLine[] {
  return [...layout.kinds].flatMap((kind, entry) => {
    if (kind !== KIND.other && kind !== KIND.quantiles) return [];
    return [{ name: entryName(layout, entry), why: kind === KIND.quantiles ? 'quantiles' : 'text' } as const];
  });
}

function unreadMetrics(body: Buffer): UnreadLines {
  const own = new OwnLines(body);
  const lines: UnreadLine[] = [];
  let foreign = countMetrics(body);
  for (let start = own.next(); start >= 0; start = own.next(), foreign--) {
    const lineEnd = body.indexOf(NEWLINE, start);
    const { metric, labels } = splitLine(body.subarray(start, lineEnd < 0 ? body.length : lineEnd));
    const read = readMetric(metric, labels);
    if ('unread' in read) lines.push({ name: metric + ownerLabel(labels), why: read.unread });
  }
  return { lines, foreign };
}

const OWNER_LABELS = [
  'envoy_cluster_name',
  'cluster_name',
  'envoy_http_conn_manager_prefix',
  'http_conn_manager_prefix',
];

function ownerLabel(labels: PrometheusLabels): string {
  const name = OWNER_LABELS.find((label) => labels[label] !== undefined);
  return name === undefined ? '' : `{${name}="${labels[name]}"}`;
}

/** Lines with a metric: neither comments nor empty. */
function countMetrics(body: Buffer): number {
  let count = 0;
  for (let start = 0; start < body.length; ) {
    const lineEnd = body.indexOf(NEWLINE, start);
    const first = body[start];
    if (first !== HASH && first !== NEWLINE) count++;
    start = lineEnd < 0 ? body.length : lineEnd + 1;
  }
  return count;
}

const HASH = 35;
