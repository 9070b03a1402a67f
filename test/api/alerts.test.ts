/** What the API tells of alerts: the collector's own on a real store, checked against the description. */

import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import type { AlertsView } from '../../server/api/alerts.ts';
import type {
  AlertHistoryAnswer,
  AlertsAnswer,
  ErrorBody,
  RulesAnswer,
  RulesTestAnswer,
  ServiceSummary,
  ServicesAnswer,
} from '../../server/api/contract.ts';
import type { RulesTestQuery } from '../../server/api/rules-test.ts';
import { CollectorAlerts } from '../../server/collector-alerts.ts';
import { parseConfig } from '../../server/config/load.ts';
import { Live } from '../../server/live/live.ts';
import { MEMORY_PATH, MemoryStore } from '../../server/store/memory-store.ts';
import { QueryStoppedError } from '../../server/store/store.ts';
import { QuietLog } from '../../server/telemetry/quiet-log.ts';
import { eventually } from '../scrape/eventually.ts';
import { storeOptions } from '../store/options.ts';
import { INTERVAL, MIXED, NOW } from './meshes.ts';
import { NO_ALERTS, type RunningApi, startApi } from './running-api.ts';

const YAML = `
web: { external_url: "https://mesh.example/sidelight" }
alerts:
  interval: 1s
  rules:
    - { name: Busy, signal: request_rate, above: 0/s, window: 1m, severity: ticket, annotations: { summary: "{{ .value }} {{ .link }}" } }
    - { name: Waiting, signal: requests, above: 0, for: 1h, match: { service: shop } }
    - { name: Objective, slo: { objective: 99% }, min_requests: 1 }
`;

async function started(): Promise<{ api: RunningApi; registry: Registry; alerts: CollectorAlerts }> {
  const loaded = parseConfig(YAML, 'conf.yaml');
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const config = { ...loaded.config, scrape: { ...loaded.config.scrape, intervalMs: INTERVAL } };
  const store = new MemoryStore(storeOptions(MEMORY_PATH));
  await store.append(MIXED.records);
  const live = new Live();
  live.setTargets(MIXED.targets, []);
  live.apply(MIXED.records);
  const log = pino({ level: 'silent' });
  const registry = new Registry();
  const warnings = new QuietLog({ log, quietMs: 1, now: () => NOW });
  const alerts = new CollectorAlerts({ config, store, live, log, warnings, registry, now: () => NOW });
  await alerts.start();
  onTestFinished(() => alerts.stop());
  const api = await startApi(MIXED, { alerts });
  onTestFinished(() => api.stop());
  await eventually(() => alerts.rules().durationMs !== null).toBe(true);
  return { api, registry, alerts };
}

test('alerts, rules, history and services tell the same', async () => {
  const { api, registry, alerts } = await started();
  const answer = await api.get<AlertsAnswer>('/api/v1/alerts');
  const shop = answer.alerts.find(({ name, labels }) => name === 'Busy' && labels.service === 'shop');
  expect(shop).toMatchObject({
    state: 'firing',
    severity: 'ticket',
    labels: { alertname: 'Busy', service: 'shop', severity: 'ticket' },
    since: NOW,
    firedAt: NOW,
    data: 'ok',
    threshold: 0,
    thresholdText: '0/s',
    valueText: expect.stringMatching(/^[\d.]+ ?k?\/s$/),
  });
  expect(shop?.annotations.summary).toMatch(
    new RegExp(String.raw`/s https://mesh\.example/sidelight/services/shop\?(namespace=\w+&)?paused=${NOW}$`),
  );
  const states = answer.alerts.map(({ state }) => state);
  expect(states).toEqual([...states].sort((a, b) => (a === b ? 0 : a === 'firing' ? -1 : 1)));

  const { rules, intervalMs } = await api.get<RulesAnswer>('/api/v1/rules');
  expect(intervalMs).toBe(1000);
  expect(rules.map(({ name, builtin, condition, error }) => [name, builtin, condition, error])).toEqual([
    ['Busy', false, 'request_rate above 0/s over 1m', ''],
    ['Waiting', false, 'requests above 0 over 5m for 1h', ''],
    ['Objective', false, 'the error budget burns too fast: 99 % of requests are to succeed over 30d', ''],
  ]);
  const firing = answer.alerts.filter(({ state }) => state === 'firing');
  expect(rules.reduce((sum, rule) => sum + rule.alerts.firing, 0)).toBe(firing.length);
  expect(rules[1]?.alerts.pending).toBe(1);
  expect(rules.map(({ objective }) => objective)).toEqual([null, null, { share: 0.99, goodBelowMs: null }]);
  expect(rules[2]?.budgets.find(({ labels }) => labels.service === 'shop')?.left).toEqual(expect.any(Number));

  const { services } = await api.get<ServicesAnswer>('/api/v1/services');
  const told = (service: ServiceSummary) =>
    firing.filter(({ labels }) => labels.service === service.service && (labels.namespace ?? '') === service.namespace);
  for (const service of services) expect(service.alerts.firing, service.service).toBe(told(service).length);
  expect(services.find(({ service }) => service === 'shop')?.alerts.pending).toBe(1);

  const history = await api.get<AlertHistoryAnswer>(
    `/api/v1/alerts/history?from=${NOW - 1000}&to=${NOW + 1000}&service=shop`,
  );
  expect(history.truncated).toBe(false);
  expect(history.events.map(({ name, state }) => `${name} ${state}`)).toEqual(
    expect.arrayContaining(['Busy firing', 'Waiting pending']),
  );
  const fired = history.firings.find(({ name }) => name === 'Busy');
  expect(fired).toMatchObject({
    severity: 'ticket',
    firedAt: NOW,
    resolvedAt: null,
    threshold: 0,
    thresholdText: '0/s',
  });
  expect(new Set(history.firings.map(({ labels }) => labels.service))).toEqual(new Set(['shop']));
  const early = await api.get<AlertHistoryAnswer>(`/api/v1/alerts/history?from=1&to=2`);
  expect([early.events, early.firings]).toEqual([[], []]);

  alerts.setMetrics();
  expect(await registry.metrics()).toContain(
    'sidelight_alerts{alertname="Busy",service="shop",severity="ticket",state="firing"} 1',
  );
});

test('rules that can not be worked out, and that can be again, are told of once each', async () => {
  /** A fake fault: queries of a real store fail while it is switched on. */
  class FailingStore extends MemoryStore {
    fails = true;
    override async sums(query: Parameters<MemoryStore['sums']>[0]): ReturnType<MemoryStore['sums']> {
      if (this.fails) throw new QueryStoppedError('the query took too long');
      return super.sums(query);
    }
  }
  const yaml = 'alerts: { interval: 1s, rules: [{ name: Busy, signal: requests, above: 0, window: 6m }] }';
  const loaded = parseConfig(yaml, 'conf.yaml');
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const store = new FailingStore(storeOptions(MEMORY_PATH));
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line).msg) });
  const warnings = new QuietLog({ log, quietMs: 600_000, now: Date.now });
  const options = { config: loaded.config, store, live: new Live(), log, warnings, registry: new Registry() };
  const alerts = new CollectorAlerts({ ...options, now: Date.now });
  await alerts.start();
  onTestFinished(() => alerts.stop());
  await eventually(() => lines.length).toBe(1);
  store.fails = false;
  await eventually(() => lines.length).toBe(2);
  expect(lines).toEqual([
    'alert rules: the query took too long; what fires goes on firing',
    'alert rules are worked out and kept again',
  ]);
});

test('bad requests are told what would be right', async () => {
  const api = await startApi();
  onTestFinished(() => api.stop());
  const response = await fetch(`${api.url}/api/v1/alerts?state=firing`);
  const { error } = (await response.json()) as ErrorBody;
  expect([response.status, error.message]).toEqual([400, 'unknown parameter "state": this address takes none']);
});

test('rules are tried on the past, one request at a time', async () => {
  const { api } = await started();
  const all = await api.get<RulesTestAnswer>('/api/v1/rules/test');
  expect(all).toMatchObject({ window: '7d', maxAlerts: 5, to: NOW });
  expect(all.rules.map(({ name, notTried }) => [name, notTried])).toEqual([
    ['Busy', ''],
    ['Waiting', ''],
    ['Objective', ''],
  ]);
  const path = '/api/v1/rules/test?rule=Busy&window=1h&max_alerts=0';
  const one = await api.get<RulesTestAnswer>(path);
  expect([one.window, one.maxAlerts, one.rules.map(({ name }) => name)]).toEqual(['1h', 0, ['Busy']]);
  const [busy] = one.rules;
  expect(busy?.alerts).toBeGreaterThan(0);
  expect(busy?.series.map(({ labels }) => labels.service)).toContain('shop');
  expect(busy?.suggestion).toMatchObject({ alerts: 0, text: expect.stringMatching(/^above: [\d.]+\/s$/) });
});

test('a second test is refused while one is under way, and one that nobody waits for is given up', async () => {
  const asked: RulesTestQuery[] = [];
  const begun = Promise.withResolvers<void>();
  const given = Promise.withResolvers<RulesTestAnswer>();
  const view: AlertsView = {
    ...NO_ALERTS,
    test: (query) => {
      asked.push(query);
      begun.resolve();
      return given.promise;
    },
  };
  const api = await startApi(undefined, { alerts: view });
  onTestFinished(() => api.stop());
  const leaving = new AbortController();
  const first = fetch(`${api.url}/api/v1/rules/test`, { signal: leaving.signal }).catch((error: Error) => error.name);
  await begun.promise;
  const second = await fetch(`${api.url}/api/v1/rules/test`);
  expect([second.status, ((await second.json()) as ErrorBody).error.code]).toEqual([429, 'busy']);
  leaving.abort();
  expect(await first).toBe('AbortError');
  await eventually(() => asked[0]?.limits.cancelled[0]).toBe(1);
  given.reject(new QueryStoppedError('trying rules on the past was cancelled'));
  await eventually(async () => {
    const { error } = (await (await fetch(`${api.url}/api/v1/rules/test`)).json()) as ErrorBody;
    return error.code;
  }).toBe('timeout');
});

test.each([
  ['rule=None', 404, /^rule=None: there is no such rule; rules are none$/],
  ['window=1s', 400, /^window=1s is too short/],
  ['window=soon', 400, /^window=soon is not a duration/],
  ['max_alerts=-1', 400, /^max_alerts=-1 is no whole number/],
  ['from=1', 400, /^unknown parameter "from"/],
])('rules/test?%s is refused', async (search, status, message) => {
  const api = await startApi();
  onTestFinished(() => api.stop());
  const response = await fetch(`${api.url}/api/v1/rules/test?${search}`);
  expect([response.status, ((await response.json()) as ErrorBody).error.message]).toEqual([
    status,
    expect.stringMatching(message),
  ]);
});
