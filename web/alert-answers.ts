/** What the pages of alerts and rules need of the API's answers. */

export type AlertState = 'pending' | 'firing' | 'resolved';

export interface AlertItem {
  readonly name: string;
  readonly state: AlertState;
  readonly severity: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Since when it is in this state, Unix milliseconds. */
  readonly since: number;
  /** In the unit of the rule's signal; the texts say both in words. */
  readonly value: number | null;
  readonly threshold: number | null;
  readonly valueText?: string;
  readonly thresholdText?: string;
  readonly requests: number | null;
}

export interface AlertsAnswer {
  readonly alerts: readonly AlertItem[];
}

export interface RuleItem {
  readonly name: string;
  readonly builtin?: boolean;
  /** When its alerts fire, in words. */
  readonly condition?: string;
  readonly severity: string;
  /** How many sets of labels are in which state. */
  readonly alerts?: Readonly<Record<string, number>>;
  /** Unix milliseconds; null before the first time. */
  readonly lastEvaluation?: number | null;
  /** Why the last evaluation could not be worked out; empty when it could. */
  readonly error?: string;
}

export interface RulesAnswer {
  readonly rules: readonly RuleItem[];
}
