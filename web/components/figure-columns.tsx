/** The columns that every table of figures has: rate, success and percentiles. */

import type { Vantage } from '../../server/api/contract.ts';
import { isCapped } from '../figures/capped.ts';
import {
  missingInWords,
  PERCENTILE_NAMES,
  percentileInWords,
  rateInWords,
  stateInWords,
  successInWords,
} from '../figures/explain.ts';
import { milliseconds, multiplied, type Quantity, success, threeDigits } from '../format/number.ts';
import type { ShownFigures } from '../listed-service.ts';
import type { Column } from './data-table.tsx';
import { explainedByPointer } from './explained.ts';
import { Figure } from './figure.tsx';

export interface FigureContext {
  /** Time that the figures cover, in words. */
  readonly window: string;
  /** All latencies are in milliseconds, which the column heads say; else each cell has its unit. */
  readonly inMilliseconds: boolean;
  readonly sortable?: boolean;
}

const SHOWN = ['p50', 'p95', 'p99'] as const;
const WIDTH = 'minmax(74px, 7fr)';
const LARGEST_IN_MS = 100_000;

/** Whether all latencies of a table read well in milliseconds. */
export function readsWellInMilliseconds(rows: readonly Pick<ShownFigures, 'latencyMs'>[]): boolean {
  return rows.every(({ latencyMs }) => SHOWN.every((percentile) => (latencyMs[percentile] ?? 0) < LARGEST_IN_MS));
}

/** Columns of figures. `vantageOf` tells who measured a row. */
export function figureColumns<Row extends ShownFigures>(
  context: FigureContext,
  vantageOf: (row: Row) => Vantage,
): Column<Row>[] {
  return [
    rateColumn(context),
    successColumn(context),
    ...SHOWN.map((percentile) => percentileColumn<Row>(percentile, context, vantageOf)),
  ];
}

function sorting(context: FigureContext, direction: 'ascending' | 'descending') {
  return context.sortable ? { sortable: direction } : {};
}

function rateColumn<Row extends ShownFigures>(context: FigureContext): Column<Row> {
  return {
    key: 'rate',
    width: WIDTH,
    title: 'Rate',
    unit: '/s',
    numeric: true,
    ...sorting(context, 'descending'),
    meaning: `Completed requests per second over the last ${context.window}`,
    columns: (row) => (row.requestRate === null ? 5 : 1),
    cell: (row) =>
      row.requestRate === null ? (
        <Reason figures={row} window={context.window} />
      ) : (
        <Figure quantity={multiplied(row.requestRate)} words={rateInWords(row, context.window)} />
      ),
  };
}

function successColumn<Row extends ShownFigures>(context: FigureContext): Column<Row> {
  return {
    key: 'success',
    width: WIDTH,
    title: 'Success',
    unit: '%',
    numeric: true,
    ...sorting(context, 'ascending'),
    meaning: 'Share of requests that did not fail. A failure is a 5xx or a gRPC status other than 0; a 4xx is none.',
    columns: (row) => (row.state === 'no_traffic' && row.successRate === null ? 4 : 1),
    cell: (row) =>
      row.state === 'no_traffic' && row.successRate === null ? (
        <Reason figures={row} window={context.window} />
      ) : (
        <Figure quantity={{ ...success(row.successRate), unit: '' }} words={successInWords(row, context.window)} />
      ),
  };
}

function percentileColumn<Row extends ShownFigures>(
  percentile: (typeof SHOWN)[number],
  context: FigureContext,
  vantageOf: (row: Row) => Vantage,
): Column<Row> {
  const name = PERCENTILE_NAMES[percentile];
  return {
    key: percentile,
    width: WIDTH,
    title: name,
    ...(context.inMilliseconds ? { unit: 'ms' } : {}),
    numeric: true,
    ...sorting(context, 'descending'),
    meaning: `${name.slice(1)} % of requests were answered within this time`,
    cell: (row) => (
      <Figure
        quantity={latency(row.latencyMs[percentile], context.inMilliseconds)}
        words={percentileInWords(percentile, row, { window: context.window, vantage: vantageOf(row) })}
        capped={isCapped(percentile, row)}
        weak={row.state === 'too_little_data'}
      />
    ),
  };
}

function latency(value: number | null, inMilliseconds: boolean): Quantity {
  return inMilliseconds && value !== null ? { digits: threeDigits(value), unit: '' } : milliseconds(value);
}

/** Why there are no figures, in place of them. */
function Reason({ figures, window }: { readonly figures: ShownFigures; readonly window: string }) {
  return (
    <span class="reason" {...explainedByPointer(stateInWords(figures, window))}>
      <span aria-hidden="true">— </span>
      {missingInWords(figures)}
    </span>
  );
}
