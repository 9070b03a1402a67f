import { judge, worstFirst } from './badness.ts';
import { latencyText, rateText, shareText } from './figures.ts';
import type { ScreenLine } from './screen.ts';
import type { ServiceRow, ServicesAnswer } from './services-answer.ts';
import { type Column, tableLines } from './table.ts';

/** The golden signals of every service as a table, worst first; a sentence when there is none. */
export function statLines({ services, window }: ServicesAnswer, alerts = ALERTS): string[] {
  if (services.length === 0) return [`no services in the last ${window}; /api/v1/targets tells how the targets are`];
  return tableLines(columnsOf(services, alerts), worstFirst(services));
}

const SHAPES = { good: '●', warn: '▲', bad: '■', quiet: '○', unknown: '◌' } as const;
const COLOURS = { good: undefined, warn: 'yellow', bad: 'red', quiet: 'dim', unknown: 'dim' } as const;

/** What stands beside the names, about. */
const BESIDE_NAMES = 84;
const SHORTEST_NAME = 16;
/** Width of the shape before a line, and the blank after it. */
const MARK = 2;

/**
 * The same for a terminal: each service with the shape of its health, and in its colour; names are cut off where they
 * would push figures over the edge, and alerts are told by their shapes where words would push out the state.
 */
export function screenLines(whole: ServicesAnswer, columns: number): ScreenLine[] {
  const longest = Math.max(SHORTEST_NAME, columns - BESIDE_NAMES);
  const services = worstFirst(whole.services).map((row) => ({ ...row, service: shortened(row.service, longest) }));
  const answer = { ...whole, services };
  const inWords = statLines(answer);
  const isWide = inWords.some((line) => [...line].length + MARK > columns);
  const [head = '', ...lines] = isWide ? statLines(answer, ALERTS_BY_SHAPE) : inWords;
  if (answer.services.length === 0) return [{ text: head }];
  const healths = worstFirst(whole.services).map((row) => judge(row).health);
  return [
    { text: `  ${head}`, colour: 'dim' },
    ...lines.map((line, index) => {
      const health = healths[index] ?? 'unknown';
      const colour = COLOURS[health];
      return { text: `${SHAPES[health]} ${line}`, ...(colour ? { colour } : {}) };
    }),
  ];
}

function shortened(name: string, longest: number): string {
  const letters = [...name];
  return letters.length <= longest ? name : `${letters.slice(0, longest - 1).join('')}…`;
}

function columnsOf(services: readonly ServiceRow[], alerts: Column<ServiceRow>): Column<ServiceRow>[] {
  const hasAlerts = services.some(({ alerts: { firing, pending } }) => firing + pending > 0);
  return [
    SERVICE,
    ...(services.some(({ namespace }) => namespace !== '') ? [NAMESPACE] : []),
    ...FIGURES,
    ...(hasAlerts ? [alerts] : []),
    STATE,
  ];
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
];
const ALERTS: Column<ServiceRow> = { head: 'ALERTS', align: 'left', text: alertsText };
const ALERTS_BY_SHAPE: Column<ServiceRow> = {
  ...ALERTS,
  text: ({ alerts: { firing, pending } }) =>
    [firing > 0 ? `■${firing}` : '', pending > 0 ? `▲${pending}` : ''].filter(Boolean).join(' '),
};
const STATE: Column<ServiceRow> = { head: 'STATE', align: 'left', text: stateText };

/** Percentiles that fall among timed-out requests are all the highest one, and lower bounds. */
function percentileText({ latencyMs, precision }: ServiceRow, name: 'p50' | 'p95' | 'p99'): string {
  const ms = latencyMs[name];
  const capped = ms !== null && precision.capped && ms === latencyMs.p999;
  return capped ? `> ${latencyText(ms)}` : latencyText(ms);
}

function alertsText({ alerts: { firing, pending } }: ServiceRow): string {
  return [firing > 0 ? `${firing} firing` : '', pending > 0 ? `${pending} pending` : ''].filter(Boolean).join(', ');
}

function stateText({ state, latencySamples }: ServiceRow): string {
  if (state !== 'too_little_data') return state.replaceAll('_', ' ');
  return `too little data (${latencySamples} ${latencySamples === 1 ? 'sample' : 'samples'})`;
}
