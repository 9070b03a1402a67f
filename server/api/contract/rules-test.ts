/** Rules tried on the past: /api/v1/rules/test. */

/** One time that an alert would have fired. */
export interface TriedFiring {
  from: number;
  /** Null where it still fires at the end. */
  to: number | null;
  /** As they were when it fired, in the unit of the rule's signal, and in words. */
  value: number | null;
  threshold: number | null;
  requests: number | null;
  valueText: string;
  thresholdText: string;
}

/** How many evaluations there were, and how many of them could not be worked out. */
export interface TriedEvaluations {
  total: number;
  tooLittleData: number;
  noData: number;
}

export interface TriedSeries {
  labels: Readonly<Record<string, string>>;
  firings: readonly TriedFiring[];
  firingMs: number;
  evaluations: TriedEvaluations;
}

/** What a rule would have done. */
export interface TriedRule {
  name: string;
  condition: string;
  /** Why the past can't tell; empty when it can. */
  notTried: string;
  /** What was tried otherwise than it runs, in words. */
  notes: readonly string[];
  /** How often it would have fired, and how long in sum. */
  alerts: number;
  firingMs: number;
  evaluations: TriedEvaluations;
  /** At most 200: those that would have fired longest, then those without enough data most often. */
  series: readonly TriedSeries[];
  seriesTotal: number;
  /** The most sensitive threshold with at most so many alerts, as it is written in the configuration. */
  suggestion: { text: string; value: number; alerts: number } | null;
}

/** A stretch of the past that is kept in steps of one length. */
export interface TriedPart {
  tier: 'raw' | '1m' | '10m' | '1h';
  from: number;
  to: number;
  /** Time between two evaluations. */
  stepMs: number;
  /** What is shorter can't be told apart. */
  slotMs: number;
}

export interface RulesTestAnswer {
  /** Later than asked where the history is shorter. */
  from: number;
  to: number;
  window: string;
  maxAlerts: number;
  /** Oldest first. */
  parts: readonly TriedPart[];
  rules: readonly TriedRule[];
}
