import { CODE_CLASSES, COUNTER_INDEX } from '../model/flow.ts';
import type { QueryAnswer } from './contract.ts';
import { type MeasuredGroup, type MeasuredLabel, received, type Sources, sent } from './measured.ts';
import { filtersOf, listOf, oneOf, type RawParams, RequestError, stepOf, timeRange } from './params.ts';
import { SIGNAL_NAMES, type SignalName, signal } from './signals.ts';

export const QUERY_PARAMS = [
  'signal',
  'by',
  'step',
  'window',
  'from',
  'to',
  'direction',
  'service',
  'namespace',
  'region',
  'zone',
  'instance',
];

/** What series can be told apart by. */
export const QUERY_LABELS = [
  'service',
  'namespace',
  'instance',
  'region',
  'zone',
  'peer',
  'code_class',
  'direction',
] as const;
export const DIRECTIONS = ['inbound', 'outbound'] as const;
/** Most series of one answer. */
const MAX_SERIES = 10_000;

type Direction = (typeof DIRECTIONS)[number];

/** Series of a signal over steps that are aligned to multiples of the step; the first one holds `from`. */
export async function querySignal(
  sources: Sources,
  params: RawParams,
  { now, intervalMs }: { now: number; intervalMs: number },
): Promise<QueryAnswer> {
  const name = oneOf(params, 'signal', SIGNAL_NAMES);
  if (!name) throw new RequestError(`signal is missing: one of ${SIGNAL_NAMES.join(', ')}`);
  const by = listOf(params, 'by', QUERY_LABELS);
  if (by.includes('code_class') && !signal(name).ofClass)
    throw new RequestError('by=code_class needs signal=requests or signal=request_rate');
  const range = timeRange(params, now);
  const step = stepOf(params, range, intervalMs);
  const from = Math.floor(range.from / step) * step;
  const to = Math.ceil(range.to / step) * step;
  const labels = by.filter((label): label is MeasuredLabel => label !== 'code_class' && label !== 'direction');
  const query = {
    from,
    to,
    stepMs: step,
    filters: filtersOf(params),
    by: labels,
    bins: signal(name).needsBins ?? false,
  };
  const series: QueryAnswer['series'] = [];
  for (const direction of directionsOf(params, by)) {
    const groups = await (direction === 'outbound' ? sent(sources, query) : received(sources, query));
    for (const group of groups) series.push(...seriesOf(group, { name, by, direction, from, step }));
  }
  if (series.length > MAX_SERIES)
    throw new RequestError(
      `the answer has ${series.length} series, more than ${MAX_SERIES}: filter, or group by fewer labels`,
    );
  return { signal: name, step, from, to, series };
}

/** Without a filter a service's figures are what it received; grouped by direction, both are told apart. */
function directionsOf(params: RawParams, by: readonly string[]): readonly Direction[] {
  const asked = oneOf(params, 'direction', DIRECTIONS);
  if (asked) return [asked];
  return by.includes('direction') ? DIRECTIONS : ['inbound'];
}

interface Shape {
  readonly name: SignalName;
  readonly by: readonly string[];
  readonly direction: Direction;
  readonly from: number;
  readonly step: number;
}

function seriesOf(group: MeasuredGroup, { name, by, direction, from, step }: Shape): QueryAnswer['series'] {
  const { value, ofClass } = signal(name);
  const labels = { ...group.labels, ...(by.includes('direction') ? { direction } : {}) };
  const points = (of: typeof value): QueryAnswer['series'][number]['points'] =>
    group.cells.map((cell, index) => [from + index * step, cell ? of(cell) : null]);
  if (!by.includes('code_class') || !ofClass) return [{ labels, points: points(value) }];
  const isUnknown = group.cells.some((cell) => (cell?.counters[COUNTER_INDEX.unclassed] ?? 0) > 0);
  return [...CODE_CLASSES, ...(isUnknown ? (['unclassed'] as const) : [])].map((codeClass) => ({
    labels: { ...labels, code_class: codeClass === 'unclassed' ? 'unknown' : codeClass },
    points: points((cell) => ofClass(cell, codeClass)),
  }));
}
