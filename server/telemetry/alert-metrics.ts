import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** An alert as metrics tell it. */
interface ToldAlert {
  readonly name: string;
  readonly severity: string;
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The collector's own metrics of alerts. */
export class AlertMetrics {
  private readonly alerts: Gauge<'alertname' | 'service' | 'severity' | 'state'>;
  private readonly seconds: Histogram;
  private readonly failures: Counter;
  private readonly deliveries: Counter<'receiver' | 'result'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.alerts = new Gauge({
      name: 'sidelight_alerts',
      help: 'Alerts that are pending or firing.',
      labelNames: ['alertname', 'service', 'severity', 'state'],
      registers,
    });
    this.seconds = new Histogram({
      name: 'sidelight_alert_evaluation_duration_seconds',
      help: 'Duration of evaluating all alert rules once.',
      buckets: [0.01, 0.05, 0.1, 0.2, 0.5, 1, 5, 10],
      registers,
    });
    this.failures = new Counter({
      name: 'sidelight_alert_evaluation_failures_total',
      help: 'Things that alert rules needed and that could not be worked out or kept.',
      registers,
    });
    this.deliveries = new Counter({
      name: 'sidelight_alert_deliveries_total',
      help: 'Deliveries to receivers of alerts, by result.',
      labelNames: ['receiver', 'result'],
      registers,
    });
  }

  /** Makes these the alerts that are told. */
  set(alerts: readonly ToldAlert[]): void {
    this.alerts.reset();
    for (const { name: alertname, severity, state, labels } of alerts)
      if (state !== 'resolved') this.alerts.inc({ alertname, service: labels.service ?? '', severity, state });
  }

  /** Runs and times an evaluation. */
  async time(evaluate: () => Promise<void>): Promise<void> {
    const stop = this.seconds.startTimer();
    await evaluate();
    stop();
  }

  failed(): void {
    this.failures.inc();
  }

  delivered(receiver: string, taken: boolean): void {
    this.deliveries.inc({ receiver, result: taken ? 'taken' : 'failed' });
  }
}
