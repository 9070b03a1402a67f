import { RE2JS } from 're2js';
import type { Extra, LabelSet } from './families.ts';

/** Samples that a rule of `exporter.keep` or `exporter.drop` is about. Patterns are RE2, anchored. */
export interface SampleRule {
  /** Name of the metric; absent: every one. */
  readonly metric?: string;
  /** Patterns by name of label; a label that a sample lacks is empty. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface SampleRules {
  /** When there are any, only what one of them names is told. */
  readonly keep: readonly SampleRule[];
  readonly drop: readonly SampleRule[];
}

/** Whether a sample is told. */
export type SampleFilter = (metric: string, labels: LabelSet, extra?: Extra) => boolean;

export function compileSampleFilter({ keep, drop }: SampleRules): SampleFilter {
  if (keep.length === 0 && drop.length === 0) return () => true;
  const kept = keep.map(compileRule);
  const dropped = drop.map(compileRule);
  return (metric, labels, extra) => {
    const names = (rule: SampleFilter) => rule(metric, labels, extra);
    return (kept.length === 0 || kept.some(names)) && !dropped.some(names);
  };
}

function compileRule({ metric, labels }: SampleRule): SampleFilter {
  const name = metric === undefined ? undefined : memoized(metric);
  const patterns = Object.entries(labels).map(([label, pattern]) => [label, memoized(pattern)] as const);
  return (sampled, set, extra) =>
    (name?.(sampled) ?? true) &&
    patterns.every(([label, matches]) => matches(extra?.[0] === label ? extra[1] : (set.labels[label] ?? '')));
}

const MOST_REMEMBERED = 10_000;

/** The same few values come at every scrape. */
function memoized(pattern: string): (value: string) => boolean {
  const compiled = RE2JS.compile(pattern);
  const known = new Map<string, boolean>();
  return (value) => {
    let matches = known.get(value);
    if (matches === undefined) {
      matches = compiled.matcher(value).matches();
      if (known.size >= MOST_REMEMBERED) known.clear();
      known.set(value, matches);
    }
    return matches;
  };
}
