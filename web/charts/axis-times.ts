/** Where a time axis has its marks. In the time zone chosen. */

import { clockAt, momentOf } from '../format/zone.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const DISTANCES = [
  ...[1, 2, 5, 10, 15, 30].map((amount) => amount * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((amount) => amount * MINUTE),
  ...[1, 2, 3, 6, 12].map((amount) => amount * HOUR),
  ...[1, 2, 5, 10].map((amount) => amount * DAY),
];

export interface AxisTimes {
  readonly stepMs: number;
  readonly times: readonly number[];
}

/** Round times within `[from, to]`, at most `most` of them, whatever the time zone's offset. */
export function axisTimes(from: number, to: number, most: number): AxisTimes {
  const stepMs = DISTANCES.find((distance) => (to - from) / distance <= most) ?? 30 * DAY;
  const times: number[] = [];
  for (let time = firstMark(from, stepMs); time <= to; time = nextMark(time, stepMs)) times.push(time);
  return { stepMs, times };
}

function firstMark(from: number, stepMs: number): number {
  const start = momentOf({ ...clockAt(from), hours: 0, minutes: 0, seconds: 0 });
  if (stepMs >= DAY) return start < from ? nextMark(start, DAY) : start;
  return start + Math.ceil((from - start) / stepMs) * stepMs;
}

/** Days differ in length where the clocks change, so marks of days go by the calendar. */
function nextMark(time: number, stepMs: number): number {
  if (stepMs < DAY) return time + stepMs;
  const clock = clockAt(time);
  return momentOf({ ...clock, day: clock.day + Math.round(stepMs / DAY) });
}
