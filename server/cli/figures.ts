/** What stands where a figure is unknown. */
export const UNKNOWN = '—';

const PREFIXES = [
  { from: 1e9, by: 1e9, name: 'G' },
  { from: 1e6, by: 1e6, name: 'M' },
  { from: 1e3, by: 1e3, name: 'k' },
  { from: 0, by: 1, name: '' },
] as const;

/** Requests per second with three significant digits: `12.3 /s`, `1.23 k/s`. */
export function rateText(rate: number | null): string {
  if (rate === null) return UNKNOWN;
  const rounded = Number(rate.toPrecision(3));
  const { by, name } = PREFIXES.find(({ from }) => rounded >= from) ?? PREFIXES[3];
  return `${digits(rounded / by)} ${name}/s`;
}

/** Milliseconds with three significant digits: `0.25 ms`, `12.4 ms`, `1.23 s`. */
export function latencyText(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  const rounded = Number(ms.toPrecision(3));
  return rounded >= 1000 ? `${digits(rounded / 1000)} s` : `${digits(rounded)} ms`;
}

/**
 * A share from 0 to 1 in percent with three significant digits; from 99 % on with two decimals, cut off rather
 * than rounded, so that `100 %` means that nothing failed.
 */
export function shareText(share: number | null): string {
  if (share === null) return UNKNOWN;
  if (share < 0.99) return `${digits(share * 100)} %`;
  return `${share < 1 ? Math.min(99.99, Math.floor(share * 10_000 + 1e-6) / 100) : 100} %`;
}

/** Three significant digits, never in scientific notation. */
function digits(value: number): string {
  if (value === 0) return '0';
  const places = 2 - Math.floor(Math.log10(value));
  return value.toFixed(Math.min(Math.max(places, 0), 9));
}
