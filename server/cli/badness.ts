/** How much services want attention: told, and put in order, as the dashboard does. A test compares the two. */

import type { ServiceRow } from './services-answer.ts';

export type Health = 'good' | 'warn' | 'bad' | 'quiet' | 'unknown';

/** Shares of failed requests, and how many of them there are at least where a service is called failing. */
const FAILING = 0.01;
const DEGRADED = 0.001;
const MOSTLY_FAILING = 0.5;
const FEW_FAILURES = 3;

/** Its health, and how urgent it is: from 0 for what is quiet up to 5. */
export function judge(row: ServiceRow): { readonly health: Health; readonly urgency: number } {
  const { instances, alerts, state } = row;
  const errors = row.errorRate ?? 0;
  const enough = (row.requests ?? 0) * errors >= FEW_FAILURES;
  if ((instances.total > 0 && instances.up === 0) || (enough && errors >= MOSTLY_FAILING))
    return { health: 'bad', urgency: 5 };
  if (alerts.firing > 0 || (enough && errors >= FAILING)) return { health: 'bad', urgency: 4 };
  if (errors >= DEGRADED || alerts.pending > 0 || instances.up < instances.total || row.precision.capped)
    return { health: 'warn', urgency: 3 };
  if (state === 'no_data') return { health: 'unknown', urgency: 2 };
  return state === 'no_traffic' ? { health: 'quiet', urgency: 0 } : { health: 'good', urgency: 1 };
}

/** Worst first; amounts count by their order of size only, so that rows do not change places with every breath. */
export function worstFirst(rows: readonly ServiceRow[]): ServiceRow[] {
  return rows
    .map((row) => ({ row, marks: marksOf(row) }))
    .sort((a, b) => compareMarks(b.marks, a.marks) || byName(a.row, b.row))
    .map(({ row }) => row);
}

function marksOf(row: ServiceRow): readonly number[] {
  const { urgency } = judge(row);
  const rate = row.requestRate ?? 0;
  return [
    urgency,
    sizeClass(urgency >= 3 ? rate * (row.errorRate ?? 0) : 0, 2),
    sizeClass(urgency >= 3 ? (row.errorRate ?? 0) : 0, 1.5),
    sizeClass(row.state === 'ok' ? (row.latencyMs.p99 ?? 0) : 0, 1.5),
    sizeClass(rate, 2),
  ];
}

function sizeClass(amount: number, factor: number): number {
  return amount > 0 ? Math.floor(Math.log(amount) / Math.log(factor)) : -1000;
}

function compareMarks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((mark, index) => mark !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

const COLLATOR = new Intl.Collator('en', { numeric: true });

function byName(a: ServiceRow, b: ServiceRow): number {
  return COLLATOR.compare(a.service, b.service) || COLLATOR.compare(a.namespace, b.namespace);
}
