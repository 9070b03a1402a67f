import type { AlertState, KeptAlert, NewAlertEvent } from '../model/alert.ts';
import { keyOf, type Labels, labelsKey } from '../model/labels.ts';
import { fillTemplate } from '../model/template.ts';
import type { Rule } from './builtin-rules.ts';
import type { Outcome } from './evaluate.ts';
import { ended, newAlert, step } from './state.ts';
import { valueInWords } from './wording.ts';

/** How long an alert that has ended is still told of. */
export const RESOLVED_MS = 60 * 60_000;
/** An alert without data ends when what it is about has been gone for this long, or for its window. */
const GONE_MS = 60 * 60_000;

/** What evaluations have changed and the store has to keep. */
export interface Changes {
  /** By rule and labels; one that is inactive is to be forgotten. */
  readonly alerts: Map<string, KeptAlert>;
  readonly events: NewAlertEvent[];
}

export interface Moment {
  readonly now: number;
  /** Whether there is a target with these labels. */
  readonly exists: (labels: Labels) => boolean;
  readonly link: (labels: Labels, at: number) => string;
  readonly changes: Changes;
}

interface Tracked {
  alert: KeptAlert;
  budgetLeft: number | null;
}

/** The alerts of one rule, through all evaluations. */
export class RuleAlerts {
  readonly rule: Rule;
  private readonly tracked = new Map<string, Tracked>();

  constructor(rule: Rule) {
    this.rule = rule;
  }

  /** Goes on with an alert of an earlier life or an earlier rule of this name; false when it is not one of this rule's. */
  adopt(alert: KeptAlert): boolean {
    const { by } = this.rule;
    if ([...by].sort().join() !== [...alert.by].sort().join()) return false;
    const own = Object.fromEntries(by.flatMap((label) => (alert.labels[label] ? [[label, alert.labels[label]]] : [])));
    if (labelsKey(this.labelsOf(own)) !== labelsKey(alert.labels)) return false;
    this.tracked.set(labelsKey(own), { alert, budgetLeft: null });
    return true;
  }

  get all(): readonly { readonly alert: KeptAlert; readonly budgetLeft: number | null }[] {
    return [...this.tracked.values()];
  }

  /** One evaluation. */
  update(outcomes: readonly Outcome[], moment: Moment): void {
    const seen = new Set<string>();
    for (const outcome of outcomes) {
      const { key } = outcome;
      seen.add(key);
      const entry = this.entry(key, outcome.labels, moment.now);
      entry.budgetLeft = outcome.budgetLeft;
      this.move(entry, step(entry.alert.state, outcome.evaluation, this.timing, moment.now), moment);
    }
    for (const [key, entry] of this.tracked) {
      if (!seen.has(key)) this.unseen(entry, moment);
      const { state } = entry.alert;
      if (state.phase === 'resolved' && moment.now - state.since >= RESOLVED_MS)
        this.move(entry, { ...state, phase: 'inactive', since: moment.now }, moment);
      if (!seen.has(key) && entry.alert.state.phase === 'inactive') this.tracked.delete(key);
    }
  }

  private entry(key: string, labels: Labels, now: number): Tracked {
    const known = this.tracked.get(key);
    if (known) return known;
    const alert = {
      rule: this.rule.name,
      by: this.rule.by,
      labels: this.labelsOf(labels),
      annotations: {},
      state: newAlert(now),
      firedAt: null,
    };
    const entry = { alert, budgetLeft: null };
    this.tracked.set(key, entry);
    return entry;
  }

  /** Nothing is told of these labels any more: a gap, until what they name is gone for good. */
  private unseen(entry: Tracked, moment: Moment): void {
    const { now } = moment;
    const state = step(entry.alert.state, { data: 'no_data' }, this.timing, now);
    const isGone = RuleAlerts.isGone(this.rule, state, now) && !moment.exists(entry.alert.labels);
    this.move(entry, isGone ? ended(state, now) : state, moment);
  }

  /** Whether an alert has been without data for so long that it ends if what it is about is gone. */
  static isGone({ condition, windowMs }: Rule, { dataSince }: AlertState, now: number): boolean {
    const isOfTarget = condition.kind === 'sidecar_down' || condition.kind === 'silent';
    return now - dataSince >= (isOfTarget ? windowMs : Math.max(GONE_MS, windowMs));
  }

  private move(entry: Tracked, after: AlertState, moment: Moment): void {
    const before = entry.alert;
    const fires = after.phase === 'firing' && before.state.phase !== 'firing';
    const alert: KeptAlert = {
      ...before,
      state: after,
      firedAt: fires ? moment.now : before.firedAt,
      annotations: fires ? this.annotations(before.labels, after, moment) : before.annotations,
    };
    entry.alert = alert;
    keepChange(before, alert, moment);
  }

  private annotations(labels: Labels, { value, threshold, requests }: AlertState, { now, link }: Moment): Labels {
    const values = {
      labels,
      value: valueInWords(this.rule, value),
      threshold: valueInWords(this.rule, threshold),
      requests: requests === null ? '' : String(Math.round(requests)),
      link: link(labels, now),
    };
    const filled = Object.entries(this.rule.annotations).map(([name, text]) => [name, fillTemplate(text, values)]);
    return Object.fromEntries(filled);
  }

  private labelsOf(own: Labels): Labels {
    const { labels, name, severity } = this.rule;
    return { ...labels, ...own, alertname: name, severity };
  }

  private get timing() {
    const { forMs, keepFiringForMs, windowMs } = this.rule;
    return { forMs, keepFiringForMs, windowMs };
  }
}

/** What of an alert has to be kept and told after a step. */
export function keepChange(
  before: KeptAlert,
  after: KeptAlert,
  { now, changes }: Pick<Moment, 'now' | 'changes'>,
): void {
  const [from, to] = [before.state, after.state];
  const isSame =
    from.phase === to.phase &&
    from.since === to.since &&
    from.activeSince === to.activeSince &&
    from.clearedSince === to.clearedSince &&
    from.data === to.data;
  if (isSame || (from.phase === 'inactive' && to.phase === 'inactive')) return;
  changes.alerts.set(keyOf([after.rule, labelsKey(after.labels)]), after);
  if (to.phase === from.phase || to.phase === 'inactive') return;
  const { rule, labels, annotations, firedAt } = after;
  const { phase, value, threshold, requests } = to;
  changes.events.push({ at: now, rule, labels, annotations, phase, firedAt, value, threshold, requests });
}
