import { NBSP } from './number.ts';
import { clockAt } from './zone.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS = [
  { size: DAY, short: 'd', long: 'day' },
  { size: HOUR, short: 'h', long: 'hour' },
  { size: MINUTE, short: 'min', long: 'minute' },
  { size: SECOND, short: 's', long: 'second' },
] as const;

function largestUnit(ms: number) {
  return (
    UNITS.find((unit) => ms >= unit.size) ?? UNITS[UNITS.length - 1] ?? { size: SECOND, short: 's', long: 'second' }
  );
}

/** A span of time in whole units of its largest one, cut off: `40 s`, `3 min`, `2 h`, `5 d`. */
export function span(ms: number): string {
  const unit = largestUnit(Math.max(0, ms));
  return `${Math.floor(Math.max(0, ms) / unit.size)}${NBSP}${unit.short}`;
}

/** A chosen length of time in words: `5 minutes`, `1 hour`, `15 seconds`. */
export function spanInWords(ms: number): string {
  const unit = UNITS.find((each) => ms >= each.size && Number.isInteger(ms / each.size)) ?? largestUnit(ms);
  const amount = Number((ms / unit.size).toFixed(1));
  return `${amount} ${unit.long}${amount === 1 ? '' : 's'}`;
}

/** The time that figures cover, as it stands after "the last": `5 minutes`, or `5 minutes before 21 Nov 14:03:15`. */
export function windowInWords(ms: number, endsAt: number | null): string {
  return endsAt === null ? spanInWords(ms) : `${spanInWords(ms)} before ${dateTime(endsAt)}`;
}

/** How long before `now` a moment was: `3 s ago`, `just now`; `never` where there was none. */
export function ago(moment: number | null, now: number): string {
  if (moment === null) return 'never';
  return now - moment < SECOND ? 'just now' : `${span(now - moment)} ago`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Time of day in the time zone chosen: `14:03:15`. */
export function clockTime(moment: number): string {
  const { hours, minutes, seconds } = clockAt(moment);
  return `${two(hours)}:${two(minutes)}:${two(seconds)}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Day and month in the time zone chosen: `21 Nov`. */
export function day(moment: number): string {
  const { day: date, month } = clockAt(moment);
  return `${date} ${MONTHS[month]}`;
}

/** Date and time of day: `21 Nov 14:03:15`. */
export function dateTime(moment: number): string {
  return `${day(moment)} ${clockTime(moment)}`;
}

/** A mark on a time axis whose marks are `stepMs` apart: seconds only where they matter, the day at midnight. */
export function axisTime(moment: number, stepMs: number): string {
  const { hours, minutes } = clockAt(moment);
  if (stepMs >= DAY || (stepMs >= HOUR && hours === 0 && minutes === 0)) return day(moment);
  const withSeconds = stepMs < MINUTE;
  return withSeconds ? clockTime(moment) : clockTime(moment).slice(0, 5);
}
