/** A figure as text: its digits and, apart from them, the unit (with its multiplier), so that a view can style each. */
export interface Quantity {
  readonly digits: string;
  readonly unit: string;
}

/** Stands where a figure is not known. */
export const DASH = '—';

/** Keeps a figure and its unit on one line. */
export const NBSP = '\u00a0';

const MULTIPLIERS = ['', 'k', 'M', 'G', 'T', 'P'] as const;

function isKnown(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** At most three significant digits and three decimals; what is smaller than can be shown is told as such, never as 0. */
export function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 0.001) return value < 0 ? '> -0.001' : '< 0.001';
  if (size >= 1000) return grouped(Number(value.toPrecision(3)));
  if (size >= 1) return value.toPrecision(3);
  return value.toFixed(size >= 0.0995 ? 2 : 3);
}

const GROUPS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

function grouped(value: number): string {
  return GROUPS.format(value);
}

function scaled(value: number, steps: readonly { unit: string; size: number }[]): Quantity {
  for (const [index, step] of steps.entries()) {
    const rounded = Number((value / step.size).toPrecision(3));
    const next = steps[index + 1];
    if (!next || Math.abs(rounded) < next.size / step.size)
      return { digits: threeDigits(value / step.size), unit: step.unit };
  }
  return { digits: DASH, unit: '' };
}

const RATE_STEPS = MULTIPLIERS.map((unit, index) => ({ unit, size: 1000 ** index }));

/** A number with a multiplier instead of thousands: `1.23 k`. */
export function multiplied(value: number | null | undefined): Quantity {
  return isKnown(value) ? scaled(value, RATE_STEPS) : { digits: DASH, unit: '' };
}

/** Events per second: `1.23 k/s`. */
export function rate(perSecond: number | null | undefined): Quantity {
  const { digits, unit } = multiplied(perSecond);
  return { digits, unit: digits === DASH ? '' : `${unit}/s` };
}

const MINUTE_MS = 60_000;
const DURATION_STEPS = [
  { unit: 'ms', size: 1 },
  { unit: 's', size: 1000 },
  { unit: 'min', size: MINUTE_MS },
  { unit: 'h', size: 60 * MINUTE_MS },
  { unit: 'd', size: 24 * 60 * MINUTE_MS },
];

/** A measured duration given in milliseconds: `12.4 ms`, `1.20 s`. */
export function milliseconds(value: number | null | undefined): Quantity {
  return isKnown(value) ? scaled(value, DURATION_STEPS) : { digits: DASH, unit: '' };
}

const BYTE_STEPS = ['B', 'kB', 'MB', 'GB', 'TB'].map((unit, index) => ({ unit, size: 1000 ** index }));

/** Bytes in powers of 1000: `90.1 kB`. */
export function bytes(value: number | null | undefined): Quantity {
  if (isKnown(value) && value < 1000) return { digits: grouped(value), unit: 'B' };
  return isKnown(value) ? scaled(value, BYTE_STEPS) : { digits: DASH, unit: '' };
}

/** A size that was configured, as such sizes are written: `10 GiB`. One that is no whole number of them stands as measured ones do. */
export function configuredSize(value: number): string {
  const unit = CONFIGURED_UNITS.find(([size]) => value >= size && value % size === 0);
  return unit ? `${grouped(value / unit[0])}${NBSP}${unit[1]}` : text(bytes(value));
}

const CONFIGURED_UNITS: readonly (readonly [size: number, unit: string])[] = [
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
];

/** How many of something: `18,204`, from a million on `1.23 M`. Counts may be fractional where an increment was spread. */
export function count(value: number | null | undefined): string {
  if (!isKnown(value)) return DASH;
  if (value > 0 && value < 1) return '< 1';
  return value < 999_999.5 ? grouped(value) : text(multiplied(value));
}

/**
 * A share of good requests from 0 to 1 as a percentage. Cut off rather than rounded near the top,
 * so that it says 100 % only when nothing failed; and 0 % only when nothing succeeded.
 */
export function success(share: number | null | undefined): Quantity {
  if (!isKnown(share)) return { digits: DASH, unit: '' };
  return { digits: successDigits(share * 100), unit: '%' };
}

function successDigits(percent: number): string {
  if (percent >= 100) return '100';
  if (percent >= 99.999) return '> 99.99';
  if (percent >= 99.99) return '99.99';
  if (percent >= 99) return cutOff(percent, 2);
  return threeDigits(percent);
}

function cutOff(value: number, decimals: number): string {
  const scale = 10 ** decimals;
  return (Math.floor(value * scale + 1e-6) / scale).toFixed(decimals);
}

/** A share from 0 to 1 as a percentage, such as the share of failed requests. A share below 1 never says 100 %. */
export function share(value: number | null | undefined): Quantity {
  if (!isKnown(value)) return { digits: DASH, unit: '' };
  const digits = threeDigits(value * 100);
  return { digits: value < 1 && digits === '100' ? '99.9' : digits, unit: '%' };
}

/** A relative error as `± 2.1 %`, at most two digits; empty where it is not known. */
export function relativeError(value: number | null | undefined): string {
  if (!isKnown(value)) return '';
  const percent = value * 100;
  if (percent < 0.1) return `±${NBSP}<${NBSP}0.1${NBSP}%`;
  return `±${NBSP}${percent < 10 ? Number(percent.toPrecision(2)) : Math.round(percent)}${NBSP}%`;
}

/** Digits and unit in one string. */
export function text(quantity: Quantity): string {
  return quantity.unit === '' ? quantity.digits : `${quantity.digits}${NBSP}${quantity.unit}`;
}
