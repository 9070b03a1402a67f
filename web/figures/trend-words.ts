import type { ChartData } from '../charts/chart-data.ts';
import { milliseconds, rate, text } from '../format/number.ts';

/** A trend for those who do not see it, and for the pointer: its range, where it ended, and its gaps. */
export function trendInWords(kind: 'rate' | 'p99', trend: ChartData | null, window: string): string {
  const name = kind === 'rate' ? 'Request rate' : 'p99';
  const known = (trend?.lines[0]?.values ?? []).filter((value) => value !== null);
  if (!trend || known.length === 0) return `${name}: nothing measured in the last ${window}`;
  const words = (value: number) => text(kind === 'rate' ? rate(value) : milliseconds(value));
  const range = `${words(Math.min(...known))} to ${words(Math.max(...known))}`;
  const gaps = trend.gaps.length === 0 ? '' : `, ${trend.gaps.length} gap${trend.gaps.length === 1 ? '' : 's'}`;
  return `${name} over the last ${window}: ${range}, lately ${words(known[known.length - 1] ?? 0)}${gaps}`;
}
