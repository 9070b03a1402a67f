/** What a rule that was tried on the past came to, in words. */

import { DASH, NBSP } from '../../format/number.ts';

const MINUTE_MS = 60_000;
const UNITS = [
  ['d', 1440],
  ['h', 60],
  ['min', 1],
] as const;

/** In the two largest units: `1 h 20 min`, `3 d 4 h`, `40 s`. */
export function lengthInWords(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.round(ms / 1000)}${NBSP}s`;
  let minutes = Math.round(ms / MINUTE_MS);
  const words = UNITS.flatMap(([name, size]) => {
    const count = Math.floor(minutes / size);
    minutes -= count * size;
    return count > 0 ? [`${count}${NBSP}${name}`] : [];
  });
  return words.slice(0, 2).join(NBSP);
}

/** A share of evaluations; one that is not 0 never reads 0 %. */
export function percent(count: number, total: number): string {
  if (total === 0) return DASH;
  const share = (100 * count) / total;
  if (count > 0 && share < 0.1) return `< 0.1${NBSP}%`;
  return `${Number(share.toPrecision(3))}${NBSP}%`;
}

export function firedTimes(count: number): string {
  return count === 0 ? 'never' : count === 1 ? 'once' : `${count} times`;
}

/** Labels in one line: `checkout, region=eu`. */
export function nameOfLabels(labels: Readonly<Record<string, string>>): string {
  const { service = '', namespace = '', ...others } = labels;
  const name = [service, namespace && `(${namespace})`].filter((word) => word !== '').join(' ');
  const rest = Object.entries(others).map(([label, value]) => `${label}=${value}`);
  return [name, ...rest].filter((word) => word !== '').join(', ') || 'all';
}
