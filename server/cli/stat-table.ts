import { latencyText, rateText, shareText } from './figures.ts';
import type { ServiceRow, ServicesAnswer } from './services-answer.ts';
import { type Column, tableLines } from './table.ts';

/** The golden signals of every service as a table; a sentence when there is none. */
export function statLines({ services, window }: ServicesAnswer): string[] {
  if (services.length === 0) return [`no services in the last ${window}; /api/v1/targets tells how the targets are`];
  const columns = services.some(({ namespace }) => namespace !== '')
    ? [SERVICE, NAMESPACE, ...FIGURES]
    : [SERVICE, ...FIGURES];
  return tableLines(columns, services);
}

const SERVICE: Column<ServiceRow> = { head: 'SERVICE', align: 'left', text: ({ service }) => service };
const NAMESPACE: Column<ServiceRow> = { head: 'NAMESPACE', align: 'left', text: ({ namespace }) => namespace };
const FIGURES: readonly Column<ServiceRow>[] = [
  { head: 'RATE', align: 'right', text: ({ requestRate }) => rateText(requestRate) },
  { head: 'SUCCESS', align: 'right', text: ({ successRate }) => shareText(successRate) },
  { head: 'P50', align: 'right', text: (row) => percentileText(row, 'p50') },
  { head: 'P95', align: 'right', text: (row) => percentileText(row, 'p95') },
  { head: 'P99', align: 'right', text: (row) => percentileText(row, 'p99') },
  { head: 'UP', align: 'right', text: ({ instances }) => `${instances.up}/${instances.total}` },
  { head: 'STATE', align: 'left', text: stateText },
];

/** Percentiles that fall among timed-out requests are all the highest one, and lower bounds. */
function percentileText({ latencyMs, precision }: ServiceRow, name: 'p50' | 'p95' | 'p99'): string {
  const ms = latencyMs[name];
  const capped = ms !== null && precision.capped && ms === latencyMs.p999;
  return capped ? `> ${latencyText(ms)}` : latencyText(ms);
}

function stateText({ state, latencySamples }: ServiceRow): string {
  if (state !== 'too_little_data') return state.replaceAll('_', ' ');
  return `too little data (${latencySamples} ${latencySamples === 1 ? 'sample' : 'samples'})`;
}
