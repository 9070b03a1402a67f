import { formatDuration } from '../../model/duration.ts';
import { SIGNAL_UNITS, type SignalUnit } from '../../model/signals.ts';
import type { Rule } from '../builtin-rules.ts';

/** A threshold as the configuration can hold it. */
export interface Candidate {
  /** Keys and what to write there. */
  readonly text: string;
  readonly value: number;
  /** Scores above this meet the condition; those at or below `clearScore` end an alert. */
  readonly score: number;
  readonly clearScore: number;
}

/** Share of requests that even the strictest objective lets fail. */
const STRICTEST = 1e-6;

/** The threshold next to a score that can be written in two digits, on the side with fewer alerts; undefined for none. */
export function candidateAt(rule: Rule, score: number): Candidate | undefined {
  const { condition } = rule;
  switch (condition.kind) {
    case 'threshold': {
      const isAbove = condition.side === 'above';
      const unit = SIGNAL_UNITS[condition.signal];
      const { value, text } = WRITTEN[unit](Math.max(0, isAbove ? score : -score), isAbove);
      if (unit === 'share' && value > 1) return undefined;
      const [own, clear] = isAbove ? [value, condition.clearAt] : [-value, -condition.clearAt];
      const hasClear = condition.clearAt !== condition.value;
      const clearScore = hasClear ? Math.min(own, clear) : own;
      const moved = hasClear && clear > own ? `, clear_at: ${text}` : '';
      return { text: `${condition.side}: ${text}${moved}`, value, score: own, clearScore };
    }
    case 'comparison': {
      const isAbove = condition.factor > 1;
      const value = twoDigits(Math.abs(score), isAbove);
      if (isAbove ? value <= 1 : value >= 1 || value <= 0) return undefined;
      const own = isAbove ? value : -value;
      return { text: `factor: ${value}`, value, score: own, clearScore: own };
    }
    case 'slo': {
      const allowed = 1 - condition.objective;
      const share = twoDigits(Math.max(STRICTEST, allowed * score), true);
      if (share >= 1) return undefined;
      const value = rounded(1 - share);
      const own = share / allowed;
      return { text: `slo.objective: ${rounded(100 * value)}%`, value, score: own, clearScore: own };
    }
    default:
      return undefined;
  }
}

interface Written {
  readonly value: number;
  readonly text: string;
}

const BYTE_UNITS = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
  ['B', 1],
] as const;

const WRITTEN: Readonly<Record<SignalUnit, (value: number, up: boolean) => Written>> = {
  duration: (ms, up) => {
    const value = whole(twoDigits(ms, up), up);
    return { value, text: value === 0 ? '0s' : formatDuration(value) };
  },
  share: (share, up) => {
    const value = twoDigits(share, up);
    return { value, text: `${rounded(value * 100)}%` };
  },
  rate: (rate, up) => {
    const value = twoDigits(rate, up);
    return { value, text: `${value}/s` };
  },
  byte_rate: (bytes, up) => {
    const [name, size] = BYTE_UNITS.find(([, unit]) => bytes >= 10 * unit) ?? BYTE_UNITS[3];
    const count = whole(twoDigits(bytes / size, up), up);
    return { value: count * size, text: `${count}${name}/s` };
  },
  count: (count, up) => {
    const value = twoDigits(count, up);
    return { value, text: String(value) };
  },
};

const whole = (value: number, up: boolean): number => (up ? Math.ceil(value) : Math.floor(value));

function twoDigits(value: number, up: boolean): number {
  if (value === 0) return 0;
  const places = 1 - Math.floor(Math.log10(value));
  const scaled = rounded(value * 10 ** places);
  return rounded(whole(scaled, up) / 10 ** places);
}

/** Without the dust of floating point. */
const rounded = (value: number): number => Number(value.toPrecision(12));
