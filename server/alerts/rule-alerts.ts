import type { AlertState, KeptAlert, NewAlertEvent } from '../model/alert.ts';
import { keyOf, type Labels, labelsKey } from '../model/labels.ts';
import { fillTemplate } from '../model/template.ts';
import type { Rule } from './builtin-rules.ts';
import type { Outcome } from './evaluate.ts';
import { type Evaluation, ended, isSteady, newAlert, step } from './state.ts';
import { valueInWords } from './wording.ts';

/** How long an alert that has ended is still told of. */
export const RESOLVED_MS = 60 * 60_000;
/** An alert without data ends when what it is about has been gone for this long, or for its window. */
const GONE_MS = 60 * 60_000;

/** What evaluations have changed and the store has to keep. */
export interface Changes {
  /** By rule and labels; one that is inactive is to be forgotten. */
  readonly alerts: Map<string, KeptAlert>;
  /** Beside the key of its alert. */
  readonly events: { readonly key: string; readonly event: NewAlertEvent }[];
}

export interface Moment {
  readonly now: number;
  /** Whether there is a target with these labels. */
  readonly exists: (labels: Labels) => boolean;
  readonly link: (labels: Labels, at: number) => string;
  readonly changes: Changes;
}

type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] };

interface Tracked {
  /** Its figures are overwritten at each evaluation; whoever keeps it gets a copy. */
  readonly alert: Omit<Writable<KeptAlert>, 'state'> & { state: Writable<AlertState> };
  budgetLeft: number | null;
  /** Number of the last update that told of it. */
  seen: number;
}

/** The alerts of one rule, through all evaluations. */
export class RuleAlerts {
  readonly rule: Rule;
  private readonly tracked = new Map<string, Tracked>();
  private updates = 0;

  constructor(rule: Rule) {
    this.rule = rule;
  }

  /** Goes on with an alert of an earlier life or an earlier rule of this name; false when it is not one of this rule's. */
  adopt(alert: KeptAlert): boolean {
    const { by } = this.rule;
    if ([...by].sort().join() !== [...alert.by].sort().join()) return false;
    const own = Object.fromEntries(by.flatMap((label) => (alert.labels[label] ? [[label, alert.labels[label]]] : [])));
    if (labelsKey(this.labelsOf(own)) !== labelsKey(alert.labels)) return false;
    const state = { ...alert.state };
    this.tracked.set(labelsKey(own), { alert: { ...alert, state }, budgetLeft: null, seen: 0 });
    return true;
  }

  get all(): readonly { readonly alert: KeptAlert; readonly budgetLeft: number | null }[] {
    return [...this.tracked.values()];
  }

  /** One evaluation. */
  update(outcomes: readonly Outcome[], moment: Moment): void {
    const { timing } = this;
    const update = ++this.updates;
    for (const outcome of outcomes) {
      const entry = this.entry(outcome.key, outcome.labels, moment.now);
      entry.seen = update;
      entry.budgetLeft = outcome.budgetLeft;
      const { evaluation } = outcome;
      const { state } = entry.alert;
      if (isSteady(state, evaluation)) takeFigures(state, evaluation);
      else this.move(entry, step(state, evaluation, timing, moment.now), moment);
    }
    this.tracked.forEach((entry, key) => {
      const isSeen = entry.seen === update;
      if (!isSeen) this.unseen(entry, moment);
      const { state } = entry.alert;
      if (state.phase === 'resolved' && moment.now - state.since >= RESOLVED_MS)
        this.move(entry, { ...state, phase: 'inactive', since: moment.now }, moment);
      if (!isSeen && entry.alert.state.phase === 'inactive') this.tracked.delete(key);
    });
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
    const entry = { alert, budgetLeft: null, seen: 0 };
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

  private move({ alert }: Tracked, after: AlertState, moment: Moment): void {
    const before = alert.state;
    alert.state = { ...after };
    if (isSameLife(before, after)) return;
    if (after.phase === 'firing' && before.phase !== 'firing') {
      alert.firedAt = moment.now;
      alert.annotations = this.annotations(alert.labels, after, moment);
    }
    keepChange(before, { ...alert, state: after }, moment);
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

/** In place: with many rules, new states for all of their alerts at each evaluation are dear to make and to collect. */
function takeFigures(state: Writable<AlertState>, evaluation: Evaluation): void {
  if (evaluation.data !== 'ok') return;
  state.value = evaluation.value;
  state.threshold = evaluation.threshold;
  state.requests = evaluation.requests;
}

/** What of an alert has to be kept and told after a step from the state before. */
export function keepChange(
  from: AlertState,
  after: KeptAlert,
  { now, changes }: Pick<Moment, 'now' | 'changes'>,
): void {
  const to = after.state;
  if (isSameLife(from, to) || (from.phase === 'inactive' && to.phase === 'inactive')) return;
  const key = keyOf([after.rule, labelsKey(after.labels)]);
  changes.alerts.set(key, after);
  if (to.phase === from.phase || to.phase === 'inactive') return;
  const { rule, labels, annotations, firedAt } = after;
  const { phase, value, threshold, requests } = to;
  const event = { at: now, rule, labels, annotations, phase, firedAt, value, threshold, requests };
  changes.events.push({ key, event });
}

/** Whether nothing has changed but what was measured. */
function isSameLife(from: AlertState, to: AlertState): boolean {
  return (
    from.phase === to.phase &&
    from.since === to.since &&
    from.activeSince === to.activeSince &&
    from.clearedSince === to.clearedSince &&
    from.data === to.data
  );
}
