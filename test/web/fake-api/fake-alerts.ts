/** Alerts and rules of the fake API. */

import type { AlertItem, AlertsAnswer, RulesAnswer } from '../../../web/alert-answers.ts';

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
    ...differences,
  };
}

/** As many that fire as asked for, one that is pending and one that ended. */
export function fakeAlerts(firing: number, now: number): AlertsAnswer {
  if (firing === 0) return { alerts: [] };
  const regions = ['eu-west-1', 'us-east-1', 'ap-south-1'];
  return {
    alerts: [
      ...Array.from({ length: firing }, (_, index) =>
        alert({
          labels: { service: 'checkout', namespace: 'shop', region: regions[index % 3] ?? '', number: String(index) },
          since: now - 60_000 * (index + 4),
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
        requests: null,
      }),
    ],
  };
}

export function fakeRules(firing: number, now: number): RulesAnswer {
  return {
    rules: [
      {
        name: 'SlowService',
        condition: 'p99 above 500 ms over 5 minutes, for 2 minutes, by service and region, from 100 requests on',
        severity: 'page',
        alerts: { firing, pending: 0 },
        lastEvaluation: now - 4000,
        error: '',
      },
      {
        name: 'FailingService',
        builtin: true,
        condition: 'error rate above 1 % over 5 minutes, for 2 minutes, by service',
        severity: 'warning',
        alerts: { firing: 0, pending: 1 },
        lastEvaluation: now - 4000,
        error: '',
      },
      {
        name: 'CheckoutBudget',
        condition: 'the error budget of 99.9 % over 30 days is spent too fast',
        severity: 'page',
        alerts: {},
        lastEvaluation: null,
        error: 'the store holds 5 h of 30 d that the objective looks at',
      },
    ],
  };
}
