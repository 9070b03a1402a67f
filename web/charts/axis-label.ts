import { milliseconds, rate, text } from '../format/number.ts';

/** What the values of a chart are: requests per second, or milliseconds. */
export type ChartUnit = 'rate' | 'latency';

/** A value with its unit, as it stands in a readout or a table. */
export function valueLabel(value: number, unit: ChartUnit): string {
  return text(unit === 'rate' ? rate(value) : milliseconds(value));
}

/** The same beside an axis: without the zeros that only fill up. */
export function axisLabel(value: number, unit: ChartUnit): string {
  if (value === 0) return '0';
  const { digits, unit: name } = unit === 'rate' ? rate(value) : milliseconds(value);
  return text({ digits: digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits, unit: name });
}
