/** Alerts and rules of the fake API. */

import type { AlertFiringItem, AlertItem, AlertsAnswer, RuleItem, RulesAnswer } from '../../../server/api/contract.ts';

function alert(differences: Partial<AlertItem>): AlertItem {
  return {
    name: 'SlowService',
    state: 'firing',
    severity: 'page',
    labels: { service: 'checkout', namespace: 'shop', region: 'eu-west-1' },
    annotations: { summary: 'checkout answers slowly in eu-west-1' },
    since: 0,
    value: 812,
    threshold: 500,
    valueText: '812 ms',
    thresholdText: '500 ms',
    requests: 1204,
    firedAt: null,
    data: 'ok',
    dataSince: 0,
    ...differences,
  };
}

/** As many that fire as asked for, one that is pending and one that ended. */
export function fakeAlerts(firing: number, now: number): AlertsAnswer {
  if (firing === 0) return { at: now, alerts: [] };
  const regions = ['eu-west-1', 'us-east-1', 'ap-south-1'];
  return {
    at: now,
    alerts: [
      ...Array.from({ length: firing }, (_, index) =>
        alert({
          labels: { service: 'checkout', namespace: 'shop', region: regions[index % 3] ?? '', number: String(index) },
          since: now - 60_000 * (index + 4),
          firedAt: now - 60_000 * (index + 4),
        }),
      ),
      alert({
        name: 'FailingService',
        state: 'pending',
        severity: 'warning',
        labels: { service: 'payments', namespace: 'shop' },
        annotations: {},
        since: now - 40_000,
        valueText: '1.3 %',
        thresholdText: '1 %',
        requests: null,
      }),
      alert({
        name: 'SidecarDown',
        state: 'resolved',
        labels: { service: 'cart' },
        since: now - 900_000,
        firedAt: now - 1_500_000,
        requests: null,
      }),
    ],
  };
}

/** Times that alerts fired: of the last 40 minutes, two of which are over. */
export function fakeFirings(firing: number, now: number, service: string | null): AlertFiringItem[] {
  const { alerts } = fakeAlerts(firing, now);
  const ended = [25, 38].map((minutes) =>
    alert({ labels: { service: 'checkout', namespace: 'shop', region: 'eu-west-1' }, firedAt: now - 60_000 * minutes }),
  );
  return [...alerts, ...(firing === 0 ? [] : ended)]
    .filter(({ firedAt, labels }) => firedAt !== null && (service === null || labels.service === service))
    .map(({ name, severity, labels, annotations, firedAt, state, since, ...measured }) => ({
      name,
      severity,
      labels,
      annotations,
      firedAt: firedAt ?? 0,
      resolvedAt:
        state === 'resolved' ? since : ended.some((each) => each.firedAt === firedAt) ? (firedAt ?? 0) + 300_000 : null,
      value: measured.value,
      threshold: measured.threshold,
      valueText: measured.valueText,
      thresholdText: measured.thresholdText,
      requests: measured.requests,
    }));
}

function rule(differences: Partial<RuleItem>): RuleItem {
  return {
    name: '',
    builtin: false,
    condition: '',
    signal: null,
    by: ['service', 'namespace'],
    match: {},
    direction: 'inbound',
    windowMs: 300_000,
    forMs: 120_000,
    keepFiringForMs: 0,
    minRequests: 20,
    severity: 'page',
    alerts: { inactive: 9, pending: 0, firing: 0, resolved: 0, no_data: 0, too_little_data: 0 },
    lastEvaluation: null,
    error: '',
    objective: null,
    budgets: [],
    ...differences,
  };
}

const INACTIVE = rule({}).alerts;

export function fakeRules(firing: number, now: number): RulesAnswer {
  return {
    at: now,
    intervalMs: 15_000,
    durationMs: 4.2,
    rules: [
      rule({
        name: 'SlowService',
        condition: 'p99 above 500 ms over 5 minutes, for 2 minutes, by service and region, from 100 requests on',
        signal: 'latency_p99',
        by: ['service', 'namespace', 'region'],
        alerts: { ...INACTIVE, firing },
        lastEvaluation: now - 4000,
      }),
      rule({
        name: 'FailingService',
        builtin: true,
        condition: 'error rate above 1 % over 5 minutes, for 2 minutes, by service',
        signal: 'error_rate',
        severity: 'warning',
        alerts: { ...INACTIVE, pending: 1 },
        lastEvaluation: now - 4000,
      }),
      rule({
        name: 'CheckoutBudget',
        condition: 'the error budget of 99.9 % over 30 days is spent too fast',
        alerts: { ...INACTIVE, inactive: 0 },
        error: 'the store holds 5 h of 30 d that the objective looks at',
      }),
    ],
  };
}
