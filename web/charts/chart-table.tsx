import { type Column, DataTable } from '../components/data-table.tsx';
import { count } from '../format/number.ts';
import { dateTime } from '../format/time.ts';
import { type ChartUnit, valueLabel } from './axis-label.ts';
import { type ChartData, missing } from './chart-data.ts';
import { eventsAt } from './chart-events.ts';
import { type Ghost, ghostAt } from './ghost.ts';
import { type Heat, heatBands, isLowerBound, samplesIn } from './heat.ts';

interface ChartTableProps {
  readonly title: string;
  readonly data: ChartData;
  readonly unit: ChartUnit;
}

/** What a chart shows, as figures, newest first. */
export function ChartTable({ title, data, unit }: ChartTableProps) {
  const columns: Column<number>[] = [
    { key: 'time', title: 'Step from', isHead: true, cell: (step) => dateTime(data.times[step] ?? 0) },
    ...data.lines.map(({ key, label, values }) => ({
      key: `value${key}`,
      title: label,
      numeric: true,
      cell: (step: number) => {
        const value = values[step] ?? null;
        if (value === null) return <span class="missing">{missing(data, step)}</span>;
        return `${isLowerBound(data.heat, key, data.times[step]) ? '> ' : ''}${valueLabel(value, unit)}`;
      },
    })),
    ...(data.ghost ? [ghostColumn(data, data.ghost, unit)] : []),
    ...(data.heat ? heatColumns(data, data.heat) : []),
    ...(data.events && data.events.length > 0 ? [eventColumn(data)] : []),
  ];
  const steps = data.times.map((_, index) => data.times.length - 1 - index);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section class="chart-table" tabIndex={0} aria-label={`${title}, as a table`}>
      <DataTable name="steps-table" caption={title} captionHidden columns={columns} rows={steps} rowKey={String} />
    </section>
  );
}

function ghostColumn({ times }: ChartData, ghost: Ghost, unit: ChartUnit): Column<number> {
  return {
    key: 'ghost',
    title: ghost.label,
    numeric: true,
    cell: (step) => {
      const value = ghostAt(ghost, times[step] ?? 0);
      return value === null ? <span class="missing">no data</span> : valueLabel(value, unit);
    },
  };
}

/** What began in each step. */
function eventColumn(data: ChartData): Column<number> {
  return {
    key: 'events',
    title: 'What happened',
    cell: (step) =>
      eventsAt(data, step)
        .map(({ title, words }) => (words === '' ? title : `${title} (${words})`))
        .join('; '),
  };
}

const BANDS = 6;

/** How many answers took how long. */
function heatColumns({ times }: ChartData, heat: Heat): Column<number>[] {
  return heatBands(heat, BANDS).map((band) => ({
    key: `band${band.from}`,
    title: band.label,
    numeric: true,
    cell: (step: number) => {
      const samples = samplesIn(heat, band, times[step] ?? 0);
      return samples === null ? <span class="missing">no data</span> : count(samples);
    },
  }));
}
