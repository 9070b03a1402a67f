import type { ReplayResult } from '../alerts/replay/replay.ts';
import type { FiringResult, RuleResult, SeriesResult } from '../alerts/replay/result.ts';
import { formatDuration } from '../model/duration.ts';
import { shareText, UNKNOWN } from './figures.ts';
import { type Column, printable, tableLines } from './table.ts';

/** Firings of one rule that are printed. */
const MOST_LINES = 20;

/** What rules would have done, for people. */
export function rulesTestLines(answer: ReplayResult & { readonly maxAlerts: number }, windowMs: number): string[] {
  const { from, to, parts, rules, maxAlerts } = answer;
  const isShort = to - from < 0.99 * windowMs;
  const length = `${lengthText(to - from)}${isShort ? ', as long as the history is' : ''}`;
  return [
    `Tried on ${moment(from)} to ${moment(to)} (${length}), times in UTC`,
    ...parts.map(
      (part) =>
        `  ${moment(part.from)}: kept in steps of ${formatDuration(part.slotMs)}, evaluated every ${formatDuration(part.stepMs)}`,
    ),
    '',
    ...tableLines(
      columnsOf(maxAlerts),
      rules.filter(({ notTried }) => notTried === ''),
    ),
    ...rules.flatMap(detailLines),
  ];
}

function columnsOf(maxAlerts: number): Column<RuleResult>[] {
  const share = (rule: RuleResult, count: number) =>
    shareText(rule.evaluations.total > 0 ? count / rule.evaluations.total : null);
  return [
    { head: 'RULE', align: 'left', text: ({ name }) => name },
    { head: 'ALERTS', align: 'right', text: ({ alerts }) => String(alerts) },
    { head: 'FIRING', align: 'right', text: ({ firingMs }) => lengthText(firingMs) },
    { head: 'TOO LITTLE DATA', align: 'right', text: (rule) => share(rule, rule.evaluations.tooLittleData) },
    { head: 'NO DATA', align: 'right', text: (rule) => share(rule, rule.evaluations.noData) },
    {
      head: `AT MOST ${maxAlerts}`,
      align: 'left',
      text: ({ suggestion }) => (suggestion ? `${suggestion.text} (${suggestion.alerts})` : UNKNOWN),
    },
  ];
}

function detailLines(rule: RuleResult): string[] {
  const { name, condition, notTried, notes } = rule;
  if (notTried !== '') return ['', `${name}: not tried, since ${notTried}`];
  const firings = rule.series.flatMap((series) => series.firings.map((firing) => firingLine(series, firing)));
  const left = firings.length - MOST_LINES;
  if (firings.length + notes.length === 0) return [];
  return [
    '',
    `${name}: ${condition}`,
    ...notes.map((note) => `  ${note}`),
    ...firings.slice(0, MOST_LINES).map((line) => `  ${line}`),
    ...(left > 0 ? [`  and ${left} more: --output=json tells all`] : []),
  ];
}

function firingLine({ labels }: SeriesResult, firing: FiringResult): string {
  const { from, to, valueText, thresholdText } = firing;
  const who = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  const length = to === null ? 'still firing' : `for ${lengthText(to - from)}`;
  const value = valueText === '' ? '' : `, ${valueText}`;
  const threshold = thresholdText === '' ? '' : ` (threshold ${thresholdText})`;
  return printable(`${moment(from)} ${length}: ${who.join(' ') || 'all'}${value}${threshold}`);
}

/** To the minute where that is much. */
function lengthText(ms: number): string {
  const unit = ms >= 3_600_000 ? 60_000 : 1000;
  return formatDuration(Math.round(ms / unit) * unit);
}

const moment = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ');
