/** What a chart shows, in a few sentences, for those who do not see it. Pure. */

import { clockTime, dateTime } from '../format/time.ts';
import { type ChartUnit, valueLabel } from './axis-label.ts';
import { type ChartData, type Line, missing } from './chart-data.ts';
import { eventInWords } from './chart-events.ts';

const MOST_EVENTS = 5;

/** The time shown, each line's newest, lowest and highest value, gaps, and what happened. */
export function chartSummary(data: ChartData, unit: ChartUnit): string {
  if (data.times.length === 0) return 'Nothing was measured.';
  const sentences = [
    `From ${dateTime(data.from)} to ${dateTime(data.to)}.`,
    ...data.lines.map((line) => lineInWords(line, data, unit)),
    gapsInWords(data),
    eventsInWords(data),
  ];
  return sentences.filter(Boolean).join(' ');
}

function lineInWords({ label, values }: Line, data: ChartData, unit: ChartUnit): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return `${label}: ${missing(data, data.times.length - 1)}.`;
  const [lowest, highest] = [Math.min(...known), Math.max(...known)];
  const newest = values.findLast((value) => value !== null) ?? 0;
  const at = clockTime(data.times[values.indexOf(highest)] ?? data.from);
  const say = (value: number) => valueLabel(value, unit);
  return lowest === highest
    ? `${label}: ${say(newest)} all the time.`
    : `${label}: ${say(newest)} now, lowest ${say(lowest)}, highest ${say(highest)} at ${at}.`;
}

function gapsInWords({ gaps }: ChartData): string {
  if (gaps.length === 0) return '';
  return `Without data: ${gaps.length === 1 ? 'once' : `${gaps.length} times`}.`;
}

function eventsInWords({ events = [] }: ChartData): string {
  if (events.length === 0) return '';
  const more = events.length - MOST_EVENTS;
  return `${events.slice(-MOST_EVENTS).map(eventInWords).join('; ')}${more > 0 ? `; and ${more} earlier` : ''}.`;
}
