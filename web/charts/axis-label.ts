import { bytes, count, milliseconds, type Quantity, rate, share, success, text } from '../format/number.ts';

/** What the values of a chart are: requests per second, milliseconds, shares of successes or of others, bytes per second, or numbers of something. */
export type ChartUnit = 'rate' | 'latency' | 'success' | 'share' | 'bytes' | 'count';

const QUANTITY: Readonly<Record<ChartUnit, (value: number) => Quantity>> = {
  rate,
  latency: milliseconds,
  success,
  share,
  bytes: (value) => {
    const { digits, unit } = bytes(value);
    return { digits, unit: `${unit}/s` };
  },
  count: (value) => ({ digits: count(value), unit: '' }),
};

/** A value with its unit, as it stands in a readout or a table. */
export function valueLabel(value: number, unit: ChartUnit): string {
  return text(QUANTITY[unit](value));
}

/** The same beside an axis: without the zeros that only fill up. */
export function axisLabel(value: number, unit: ChartUnit): string {
  if (value === 0) return '0';
  if (unit === 'success' || unit === 'share')
    return text({ digits: String(Number((value * 100).toPrecision(6))), unit: '%' });
  if (unit === 'count') return Number.isInteger(value) ? count(value) : '';
  const { digits, unit: name } = QUANTITY[unit](value);
  return text({ digits: digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits, unit: name });
}

const FLOORS = [0.999, 0.99, 0.95, 0.9, 0.8, 0.6, 0];

/** Where an axis of successes begins, so that a small share of failures is seen: at a round share below all values. */
export function successFloor(values: readonly (number | null)[]): number {
  const lowest = Math.min(1, ...values.filter((value) => value !== null));
  return FLOORS.find((floor) => floor < lowest) ?? 0;
}
