import type { NewAlertEvent } from '../../model/alert.ts';
import { type Labels, labelsKey } from '../../model/labels.ts';
import type { Rule } from '../builtin-rules.ts';
import { RuleEvaluation, type Seen } from '../evaluate.ts';
import { type Changes, RuleAlerts } from '../rule-alerts.ts';
import { type Part, WITHOUT_INSTANCES } from './parts.ts';
import { Scores } from './scores.ts';

/** One time that an alert would have fired. */
export interface TriedFiring {
  readonly from: number;
  /** Null where it still fires at the end. */
  to: number | null;
  /** As they were when it fired, in the unit of the signal. */
  readonly value: number | null;
  readonly threshold: number | null;
  readonly requests: number | null;
}

/** What evaluations of one set of labels came to. */
export interface Evaluations {
  total: number;
  tooLittleData: number;
  noData: number;
}

export interface TriedSeries {
  readonly labels: Labels;
  readonly firings: TriedFiring[];
  readonly evaluations: Evaluations;
  readonly first: number;
}

/** Most firings that are told of one rule. */
const MOST_FIRINGS = 10_000;

/** One rule on its way through the past. */
export class RuleTrial {
  readonly rule: Rule;
  readonly evaluation: RuleEvaluation;
  readonly scores: Scores;
  readonly series = new Map<string, TriedSeries>();
  private readonly alerts: RuleAlerts;
  private readonly options: RuleTrialOptions;
  private told = 0;
  /** How often it would have fired. */
  fired = 0;

  constructor(rule: Rule, options: RuleTrialOptions) {
    this.rule = rule;
    this.options = options;
    this.evaluation = new RuleEvaluation(rule, { budget: false });
    this.scores = new Scores(rule);
    this.alerts = new RuleAlerts(rule);
  }

  /** Why the past can't tell at all what the rule asks; empty when it can. */
  get notTried(): string {
    const { kind } = this.rule.condition;
    const isOfScrapes = kind === 'sidecar_down' || kind === 'silent';
    return isOfScrapes ? 'whether scrapes failed is not kept: what one missed is counted by the next' : '';
  }

  /** Why this part of the past can't tell what the rule asks; empty when it can. */
  reasonAgainst({ tier }: Pick<Part, 'tier'>): string {
    return this.asksInstances && WITHOUT_INSTANCES.includes(tier) ? 'instances are not told apart' : '';
  }

  private get asksInstances(): boolean {
    const { by, match } = this.rule;
    return by.includes('instance') || match.instance !== undefined;
  }

  /** Whether all of a window that ends then is from parts that can tell what the rule asks. */
  isTried(part: Part, at: number, parts: readonly Part[]): boolean {
    if (this.notTried !== '' || this.reasonAgainst(part) !== '') return false;
    if (!this.asksInstances) return true;
    const first = parts.find((one) => this.reasonAgainst(one) === '')?.from ?? 0;
    const isAfterOthers = first > (parts[0]?.from ?? 0);
    const longest = Math.max(...this.evaluation.wanted.map(({ windowMs, offsetMs }) => (offsetMs > 0 ? 0 : windowMs)));
    return !isAfterOthers || at - longest >= first;
  }

  /** One evaluation, the `index`th. */
  evaluate(seen: Seen, now: number, index: number): void {
    const outcomes = this.evaluation.outcomes(seen);
    if (!outcomes) return;
    const changes: Changes = { alerts: new Map(), events: [] };
    const { exists } = this.options;
    this.alerts.update(outcomes, { now, exists: (labels) => exists(labels, now), link: () => '', changes });
    for (const { key, labels, evaluation } of outcomes) {
      this.scores.add(key, labels, evaluation, index);
      const { evaluations } = this.seriesOf(key, labels, index);
      if (now <= this.options.from) continue;
      evaluations.total++;
      if (evaluation.data === 'too_little_data') evaluations.tooLittleData++;
      if (evaluation.data === 'no_data') evaluations.noData++;
    }
    for (const { event } of changes.events) this.take(event, index);
  }

  private seriesOf(key: string, labels: Labels, first: number): TriedSeries {
    let series = this.series.get(key);
    if (!series) {
      series = { labels, firings: [], evaluations: { total: 0, tooLittleData: 0, noData: 0 }, first };
      this.series.set(key, series);
    }
    return series;
  }

  private take(event: NewAlertEvent, index: number): void {
    this.options.onEvent?.(event);
    const { at, phase, value, threshold, requests } = event;
    if (phase !== 'firing' && phase !== 'resolved') return;
    const labels = Object.fromEntries(
      this.rule.by.flatMap((label) => (event.labels[label] ? [[label, event.labels[label]]] : [])),
    );
    const { firings } = this.seriesOf(labelsKey(labels), labels, index);
    const last = firings.at(-1);
    if (phase === 'firing') {
      this.fired++;
      if (this.told++ < MOST_FIRINGS) firings.push({ from: at, to: null, value, threshold, requests });
      return;
    }
    if (at <= this.options.from) this.fired--;
    if (!last || last.to !== null) return;
    if (at <= this.options.from) firings.pop();
    else last.to = at;
  }
}

export interface RuleTrialOptions {
  /** What is before only leads up to it. */
  readonly from: number;
  readonly exists: (labels: Labels, at: number) => boolean;
  readonly onEvent?: ((event: NewAlertEvent) => void) | undefined;
}
