import type { Live } from '../live/live.ts';
import { ServiceDirectory } from '../live/services.ts';
import { Slices } from '../measure/slices.ts';
import type { KeptAlert, NewAlertEvent } from '../model/alert.ts';
import type { Labels } from '../model/labels.ts';
import type { ScrapeRecord } from '../model/scrape-record.ts';
import type { AlertChange, QueryLimits, Store } from '../store/store.ts';
import type { Rule } from './builtin-rules.ts';
import { type Outcome, RuleEvaluation } from './evaluate.ts';
import { existing } from './existing.ts';
import { Readings } from './readings.ts';
import { RecentStore } from './recent/recent-store.ts';
import { type Changes, keepChange, RESOLVED_MS, RuleAlerts } from './rule-alerts.ts';
import { ended } from './state.ts';

export interface AlertEngineOptions {
  readonly store: Pick<Store, 'sums' | 'loadAlerts' | 'saveAlerts'>;
  readonly live: Live;
  readonly slotMs: number;
  /** How long the queries of one evaluation may take, in milliseconds. */
  readonly deadlineMs: number;
  readonly now: () => number;
  readonly link: (labels: Labels, at: number) => string;
  /** After an evaluation that changed something; `saved` tells whether the store has it. */
  readonly onChange: (events: readonly NewAlertEvent[], saved: boolean) => void;
  /** Why something could not be worked out or kept, in words. */
  readonly onProblem: (problem: string) => void;
}

/** How evaluating a rule went the last time. */
export interface LastEvaluation {
  /** Unix milliseconds; null before the first one that worked. */
  readonly at: number | null;
  /** Why the last one did not work; empty when it did. */
  readonly error: string;
}

export interface WatchedRule {
  readonly rule: Rule;
  readonly alerts: RuleAlerts['all'];
  readonly last: LastEvaluation;
}

interface Watched {
  readonly evaluation: RuleEvaluation;
  readonly alerts: RuleAlerts;
  last: LastEvaluation;
}

/** Most events that wait for a store that fails. */
const MOST_WAITING = 10_000;

/** Evaluates rules, and keeps what becomes of their alerts. */
export class AlertEngine {
  private readonly options: AlertEngineOptions;
  private readonly readings: Readings;
  private readonly recent: RecentStore;
  private readonly cancelled = new Int32Array(new SharedArrayBuffer(4));
  private watched: readonly Watched[] = [];
  /** Alerts that have ended with their rules. */
  private orphans: KeptAlert[] = [];
  private unsaved: Changes = noChanges();
  /** Events among those that have been told of already. */
  private toldEvents = 0;
  /** How long the last evaluation took, in milliseconds. */
  durationMs: number | null = null;

  constructor(options: AlertEngineOptions) {
    this.options = options;
    this.readings = new Readings(options.slotMs);
    this.recent = new RecentStore(options);
  }

  /** What was scraped, before the store is given it: what rules ask of the newest minutes is answered by it. */
  scraped(round: readonly ScrapeRecord[]): void {
    this.recent.apply(round);
  }

  /** Goes on with what an earlier life of the collector knew. */
  async start(rules: readonly Rule[]): Promise<void> {
    this.replace(rules, await this.options.store.loadAlerts());
    await this.save();
  }

  /** Alerts of rules that stay go on; those of others end. */
  async setRules(rules: readonly Rule[]): Promise<void> {
    const alerts = this.watched.flatMap((one) => one.alerts.all.map(({ alert }) => alert));
    this.replace(rules, [...alerts, ...this.orphans]);
    await this.save();
  }

  private replace(rules: readonly Rule[], alerts: readonly KeptAlert[]): void {
    const watched = rules.map((rule) => ({
      evaluation: new RuleEvaluation(rule),
      alerts: new RuleAlerts(rule),
      last: { at: null, error: '' },
    }));
    const byName = new Map(watched.map((one) => [one.evaluation.rule.name, one.alerts]));
    this.watched = watched;
    this.orphans = alerts.flatMap((alert) => (byName.get(alert.rule)?.adopt(alert) ? [] : this.end(alert)));
  }

  /** An alert whose rule is gone. */
  private end(alert: KeptAlert): KeptAlert[] {
    const now = this.options.now();
    const after = { ...alert, state: ended(alert.state, now) };
    keepChange(alert.state, after, { now, changes: this.unsaved });
    return after.state.phase === 'resolved' ? [after] : [];
  }

  /** One evaluation of all rules. Never rejects: what can't be worked out changes nothing. */
  async evaluate(): Promise<void> {
    const began = performance.now();
    const { now, live, deadlineMs, onProblem } = this.options;
    const at = now();
    const targets = live.all();
    const directory = new ServiceDirectory(targets);
    const { watched } = this;
    const limits: QueryLimits = { deadline: Date.now() + deadlineMs, cancelled: this.cancelled };
    const sources = {
      store: { sums: (query: Parameters<Store['sums']>[0]) => this.recent.sums({ ...query, limits }) },
      directory,
    };
    const wanted = watched.flatMap(({ evaluation }) => evaluation.wanted);
    const problems = await this.readings.refresh(sources, wanted, at);
    if (this.cancelled[0] === 1 || watched !== this.watched) return;
    for (const problem of new Set(problems)) onProblem(problem);
    const exists = existing(targets);
    const slices = new Slices();
    for (const one of watched) {
      await slices.pause();
      if (watched !== this.watched) return;
      const outcomes = one.evaluation.outcomes({ readings: this.readings, targets, directory });
      this.take(one, outcomes, { at, exists, problem: problems[0] ?? '' });
    }
    this.dropOrphans(at);
    await this.save();
    this.durationMs = performance.now() - began;
  }

  private take(
    one: Watched,
    outcomes: readonly Outcome[] | undefined,
    { at, exists, problem }: { at: number; exists: (labels: Labels) => boolean; problem: string },
  ): void {
    if (!outcomes) {
      one.last = { ...one.last, error: problem };
      return;
    }
    one.alerts.update(outcomes, { now: at, exists, link: this.options.link, changes: this.unsaved });
    one.last = { at, error: '' };
  }

  private dropOrphans(now: number): void {
    const old = this.orphans.filter(({ state }) => now - state.since >= RESOLVED_MS);
    if (old.length === 0) return;
    this.orphans = this.orphans.filter((alert) => !old.includes(alert));
    for (const alert of old) {
      const after = { ...alert, state: { ...alert.state, phase: 'inactive' as const, since: now } };
      keepChange(alert.state, after, { now, changes: this.unsaved });
    }
  }

  /** What can't be kept now is kept with the next change that can. */
  private async save(): Promise<void> {
    const changes = this.unsaved;
    if (changes.alerts.size + changes.events.length === 0) return;
    const fresh = changes.events.slice(this.toldEvents).map(({ event }) => event);
    this.toldEvents = 0;
    this.unsaved = noChanges();
    const { store, onChange, onProblem } = this.options;
    let saved = true;
    try {
      for (const change of savedInParts(changes)) await store.saveAlerts(change);
    } catch (error) {
      saved = false;
      onProblem(error instanceof Error ? error.message : String(error));
      const waiting = changes.events.slice(-MOST_WAITING);
      this.toldEvents = waiting.length;
      this.unsaved = {
        alerts: new Map([...changes.alerts, ...this.unsaved.alerts]),
        events: [...waiting, ...this.unsaved.events],
      };
    }
    onChange(fresh, saved);
  }

  /** Gives up the queries under way. */
  stop(): void {
    Atomics.store(this.cancelled, 0, 1);
  }

  /** Alerts that are pending or firing, or ended within the last hour. */
  alerts(): KeptAlert[] {
    const all = this.watched.flatMap((one) => one.alerts.all.map(({ alert }) => alert));
    return [...all.filter(({ state }) => state.phase !== 'inactive'), ...this.orphans];
  }

  rules(): WatchedRule[] {
    return this.watched.map(({ evaluation, alerts, last }) => ({ rule: evaluation.rule, alerts: alerts.all, last }));
  }
}

function noChanges(): Changes {
  return { alerts: new Map(), events: [] };
}

/** Alerts and events that the store is given at once: more would hold up this thread, and the store's readers. */
const SAVED_AT_ONCE = 250;

/**
 * Changes in parts, each taken out of them when the next is asked for: it has been saved then. An alert is in one part
 * with its events, so that whatever part is the last, both tell the same.
 */
function* savedInParts(changes: Changes): Generator<AlertChange> {
  while (changes.events.length > 0) {
    const events = changes.events.slice(0, SAVED_AT_ONCE);
    const keys = new Set(events.map(({ key }) => key));
    yield changeOf(
      [...keys].flatMap((key) => changes.alerts.get(key) ?? []),
      events.map(({ event }) => event),
    );
    changes.events.splice(0, events.length);
    for (const key of keys) changes.alerts.delete(key);
  }
  while (changes.alerts.size > 0) {
    const part = new Map<string, KeptAlert>();
    for (const [key, alert] of changes.alerts) {
      part.set(key, alert);
      if (part.size === SAVED_AT_ONCE) break;
    }
    yield changeOf([...part.values()], []);
    for (const key of part.keys()) changes.alerts.delete(key);
  }
}

function changeOf(all: readonly KeptAlert[], events: readonly NewAlertEvent[]): AlertChange {
  const isKept = ({ state }: KeptAlert) => state.phase !== 'inactive';
  return { kept: all.filter(isKept), forgotten: all.filter((alert) => !isKept(alert)), events };
}
