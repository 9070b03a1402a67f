/** Alerts of the running collector: rules, evaluations, receivers, and what is told of them. */

import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { AlertEngine, type WatchedRule } from './alerts/alert-engine.ts';
import { BUILTIN_RULES, type Rule, rulesOf } from './alerts/builtin-rules.ts';
import type { GoodRequests } from './alerts/burn-rate.ts';
import { evaluationLoop } from './alerts/evaluation-loop.ts';
import { existing } from './alerts/existing.ts';
import { Receivers } from './alerts/notify/receivers.ts';
import { replay } from './alerts/replay/replay.ts';
import { shownState } from './alerts/state.ts';
import { conditionInWords, valueInWords } from './alerts/wording.ts';
import type { AlertsView } from './api/alerts.ts';
import type {
  AlertCounts,
  AlertEventItem,
  AlertFiringItem,
  AlertItem,
  RuleItem,
  RulesTestAnswer,
} from './api/contract.ts';
import type { RulesTestQuery } from './api/rules-test.ts';
import type { Config } from './config/config.ts';
import type { Live } from './live/live.ts';
import { serviceKey } from './live/services.ts';
import type { AlertFiring, KeptAlert } from './model/alert.ts';
import type { BackgroundLoop } from './model/background-loop.ts';
import type { Labels } from './model/labels.ts';
import type { ScrapeRecord } from './model/scrape-record.ts';
import type { FiringQuery, Store } from './store/store.ts';
import { slotMsOf } from './store/tiers.ts';
import { AlertMetrics } from './telemetry/alert-metrics.ts';
import type { QuietLog } from './telemetry/quiet-log.ts';

export interface CollectorAlertsOptions {
  readonly config: Pick<Config, 'alerts' | 'scrape' | 'web'>;
  readonly store: Store;
  readonly live: Live;
  readonly log: Logger;
  readonly warnings: QuietLog;
  /** Where the metrics of alerts are to be told. */
  readonly registry: Registry;
  readonly now: () => number;
}

/** An evaluation's queries are given up after this, or after an interval if that is longer. */
const DEADLINE_MS = 10_000;
const STATE_ORDER: readonly string[] = ['firing', 'pending', 'resolved'];

export class CollectorAlerts implements AlertsView {
  private readonly options: CollectorAlertsOptions;
  private readonly engine: AlertEngine;
  private readonly receivers: Receivers;
  private readonly metrics: AlertMetrics;
  private config: CollectorAlertsOptions['config'];
  private loop: BackgroundLoop;
  private changing: Promise<void> = Promise.resolve();
  /** Whether something went wrong in the evaluation under way. */
  private hasProblem = false;

  constructor(options: CollectorAlertsOptions) {
    const { config, store, live, log, warnings, registry, now } = options;
    const metrics = new AlertMetrics(registry);
    this.metrics = metrics;
    this.options = options;
    this.config = config;
    this.receivers = new Receivers({
      source: { alerts: () => this.engine.alerts(), link: (labels, at) => this.link(labels, at) },
      events: store,
      log,
      warnings,
      now,
      onDelivery: (receiver, taken) => metrics.delivered(receiver, taken),
    });
    this.engine = new AlertEngine({
      store,
      live,
      now,
      slotMs: slotMsOf(config.scrape.intervalMs),
      deadlineMs: Math.max(DEADLINE_MS, config.alerts.intervalMs),
      link: (labels, at) => this.link(labels, at),
      onChange: (events) => this.receivers.changed(events),
      onProblem: (problem) => {
        metrics.failed();
        this.hasProblem = true;
        warnings.warn('alerts', `alert rules: ${problem}; what fires goes on firing`);
      },
    });
    this.loop = this.newLoop();
  }

  private newLoop(): BackgroundLoop {
    const { intervalMs } = this.config.alerts;
    return evaluationLoop({ intervalMs, evaluate: () => this.evaluate() });
  }

  private async evaluate(): Promise<void> {
    const { warnings, log } = this.options;
    this.hasProblem = false;
    await this.metrics.time(() => this.engine.evaluate());
    if (!this.hasProblem && warnings.clear('alerts')) log.info('alert rules are worked out and kept again');
  }

  /** Goes on with the alerts that are kept. */
  async start(): Promise<void> {
    await this.engine.start(rulesOf(this.config.alerts));
    await this.receivers.apply(this.config.alerts);
    this.loop.start();
  }

  /** What was scraped, before the store is given it. */
  scraped(round: readonly ScrapeRecord[]): void {
    this.engine.scraped(round);
  }

  /** Another configuration: alerts of rules that stay go on. */
  reload(config: CollectorAlertsOptions['config']): void {
    this.changing = this.changing.then(() => this.change(config));
  }

  private async change(config: CollectorAlertsOptions['config']): Promise<void> {
    await this.loop.stop();
    this.config = config;
    await this.engine.setRules(rulesOf(config.alerts));
    await this.receivers.apply(config.alerts);
    this.loop = this.newLoop();
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.changing;
    this.engine.stop();
    await this.loop.stop();
    await this.receivers.stop();
  }

  /** Brings the metrics of alerts up to date. */
  setMetrics(): void {
    this.metrics.set(this.alerts());
  }

  get firing(): number {
    return this.engine.alerts().filter(({ state }) => state.phase === 'firing').length;
  }

  /** To the service's page, or the dashboard's first one, as it looked then. */
  private link({ service, namespace }: Labels, at: number): string {
    const { externalUrl } = this.config.web;
    if (externalUrl === '' || !service) return externalUrl;
    const query = new URLSearchParams({ ...(namespace ? { namespace } : {}), paused: String(Math.round(at)) });
    return `${externalUrl}/services/${encodeURIComponent(service)}?${query}`;
  }

  counts(): Map<string, AlertCounts> {
    const counts = new Map<string, AlertCounts>();
    for (const { labels, state } of this.engine.alerts()) {
      if (!labels.service || (state.phase !== 'firing' && state.phase !== 'pending')) continue;
      const key = serviceKey({ service: labels.service, namespace: labels.namespace ?? '' });
      const count = counts.get(key) ?? { firing: 0, pending: 0 };
      count[state.phase]++;
      counts.set(key, count);
    }
    return counts;
  }

  alerts(): AlertItem[] {
    const rules = this.rulesByName();
    const items = this.engine.alerts().flatMap((alert) => itemOf(alert, rules.get(alert.rule)));
    const rank = ({ state }: AlertItem) => STATE_ORDER.indexOf(state);
    return items.sort((a, b) => rank(a) - rank(b) || b.since - a.since);
  }

  rules() {
    return {
      at: this.options.now(),
      intervalMs: this.config.alerts.intervalMs,
      durationMs: this.engine.durationMs,
      rules: this.engine.rules().map(ruleItem),
    };
  }

  async firings(query: FiringQuery): Promise<AlertFiringItem[]> {
    const rules = this.rulesByName();
    const firings = await this.options.store.alertFirings(query);
    return firings.map((firing) => firingItem(firing, rules.get(firing.rule)));
  }

  /** Tries rules on what the store holds. @throws QueryStoppedError */
  async test({ names, window, windowMs, maxAlerts, limits }: RulesTestQuery): Promise<RulesTestAnswer> {
    const { store, live, now } = this.options;
    const rules = this.engine.rules().map(({ rule }) => rule);
    const { tiers, oldest } = await store.status();
    const to = Math.floor(now());
    const targets = live.all();
    const tried = await replay({
      store,
      tiers,
      targets,
      exists: existing(targets),
      rules: names.length === 0 ? rules : rules.filter(({ name }) => names.includes(name)),
      from: Math.max(to - windowMs, Math.min(to, oldest ?? to)),
      to,
      intervalMs: this.config.alerts.intervalMs,
      maxAlerts,
      limits,
    });
    return { window, maxAlerts, ...tried };
  }

  private rulesByName(): Map<string, Rule> {
    return new Map(this.engine.rules().map(({ rule }) => [rule.name, rule]));
  }

  async history(query: { from: number; to: number; most: number }): Promise<AlertEventItem[]> {
    const events = await this.options.store.alertHistory(query);
    return events.flatMap(({ rule, phase, ...event }) =>
      phase === 'inactive'
        ? []
        : [{ ...event, name: rule, state: phase, severity: event.labels.severity ?? '', labels: { ...event.labels } }],
    );
  }
}

function firingItem(firing: AlertFiring, rule: Rule | undefined): AlertFiringItem {
  const { rule: name, labels, annotations, firedAt, endedAt, value, threshold, requests } = firing;
  const inWords = (number: number | null) => (rule ? valueInWords(rule, number) : '');
  return {
    name,
    severity: labels.severity ?? '',
    labels: { ...labels },
    annotations: { ...annotations },
    firedAt,
    resolvedAt: endedAt,
    value,
    threshold,
    valueText: inWords(value),
    thresholdText: inWords(threshold),
    requests,
  };
}

function itemOf({ rule: name, labels, annotations, state, firedAt }: KeptAlert, rule: Rule | undefined): AlertItem[] {
  const { phase, since, data, dataSince, value, threshold, requests } = state;
  if (phase === 'inactive') return [];
  const inWords = (number: number | null) => (rule ? valueInWords(rule, number) : '');
  return [
    {
      name,
      state: phase,
      severity: labels.severity ?? '',
      labels: { ...labels },
      annotations: { ...annotations },
      since,
      firedAt,
      data,
      dataSince,
      value,
      threshold,
      valueText: inWords(value),
      thresholdText: inWords(threshold),
      requests,
    },
  ];
}

function ruleItem({ rule, alerts, last }: WatchedRule): RuleItem {
  const { name, condition, by, match, direction, windowMs, forMs, keepFiringForMs, minRequests, severity } = rule;
  const states = { pending: 0, firing: 0, resolved: 0, inactive: 0, too_little_data: 0, no_data: 0 };
  for (const { alert } of alerts) states[shownState(alert.state)]++;
  const objective = condition.kind === 'slo' ? objectiveOf(condition) : null;
  return {
    name,
    builtin: BUILTIN_RULES.includes(rule),
    condition: conditionInWords(rule),
    signal: 'signal' in condition ? condition.signal : null,
    by: [...by],
    match: { ...match },
    direction,
    windowMs,
    forMs,
    keepFiringForMs,
    minRequests,
    severity,
    alerts: states,
    lastEvaluation: last.at,
    error: last.error,
    objective,
    budgets: objective ? alerts.map(({ alert, budgetLeft: left }) => ({ labels: { ...alert.labels }, left })) : [],
  };
}

function objectiveOf({ objective, good }: { objective: number; good: GoodRequests }): RuleItem['objective'] {
  return { share: objective, goodBelowMs: good === 'success' ? null : good.belowMs };
}
