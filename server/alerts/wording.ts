/** Conditions and values in words, for whoever is woken by them. */

import { formatDuration } from '../model/duration.ts';
import { SIGNAL_UNITS, type SignalUnit } from '../model/signals.ts';
import type { Rule } from './builtin-rules.ts';

const PREFIXES = [
  { from: 1e9, name: 'G' },
  { from: 1e6, name: 'M' },
  { from: 1e3, name: 'k' },
  { from: 0, name: '' },
] as const;

/** Three significant digits, never in scientific notation. */
function digits(value: number): string {
  if (value === 0) return '0';
  const places = 2 - Math.floor(Math.log10(Math.abs(value)));
  return String(Number(value.toFixed(Math.min(Math.max(places, 0), 9))));
}

function scaled(value: number): [digits: string, prefix: string] {
  const { from, name } = PREFIXES.find((prefix) => Math.abs(value) >= prefix.from) ?? PREFIXES[3];
  return [digits(value / (from || 1)), name];
}

const IN_WORDS: Readonly<Record<SignalUnit, (value: number) => string>> = {
  duration: (ms) => (ms >= 1000 ? `${digits(ms / 1000)} s` : `${digits(ms)} ms`),
  share: (share) => `${digits(share * 100)} %`,
  rate: (rate) => `${scaled(rate).join(' ').trim()}/s`,
  byte_rate: (rate) => `${scaled(rate).join(' ')}B/s`,
  count: (count) => scaled(count).join(' ').trim(),
};

/** A value or threshold of a rule with its unit; empty for one that is not known. */
export function valueInWords({ condition }: Rule, value: number | null): string {
  if (value === null) return '';
  switch (condition.kind) {
    case 'slo':
      return `${digits(value)} times the allowed rate`;
    case 'sidecar_down':
    case 'silent':
      return digits(value);
    default:
      return IN_WORDS[SIGNAL_UNITS[condition.signal]](value);
  }
}

/** When a rule's alerts fire. */
export function conditionInWords(rule: Rule): string {
  const held = rule.forMs > 0 ? ` for ${formatDuration(rule.forMs)}` : '';
  return `${bareCondition(rule)}${held}`;
}

function bareCondition(rule: Rule): string {
  const { condition } = rule;
  const over = `over ${formatDuration(rule.windowMs)}`;
  switch (condition.kind) {
    case 'threshold':
      return `${condition.signal} ${condition.side} ${valueInWords(rule, condition.value)} ${over}`;
    case 'comparison': {
      const side = condition.factor > 1 ? 'above' : 'below';
      const floor = condition.floor === undefined ? '' : ` and above ${valueInWords(rule, condition.floor)}`;
      return `${condition.signal} ${side} ${condition.factor} times that of ${formatDuration(condition.againstMs)} ago${floor}, ${over}`;
    }
    case 'slo': {
      const { objective, good, periodMs } = condition;
      const which = good === 'success' ? 'succeed' : `take less than ${IN_WORDS.duration(good.belowMs)}`;
      return `the error budget burns too fast: ${Number((objective * 100).toPrecision(12))} % of requests are to ${which} over ${formatDuration(periodMs)}`;
    }
    case 'sidecar_down':
      return 'a sidecar can not be scraped';
    case 'silent':
      return `nothing is measured ${over} of a service that had requests in the ${formatDuration(condition.beforeMs)} before`;
  }
}
