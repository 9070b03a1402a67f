import { Counter, Gauge, type Registry } from 'prom-client';

/** A receiver of remote write as metrics tell it. */
export interface ToldReceiver {
  readonly name: string;
  readonly samplesSent: number;
  /** By reason. */
  readonly samplesDropped: Readonly<Record<string, number>>;
  readonly samplesPending: number;
  /** By result. */
  readonly requests: Readonly<Record<string, number>>;
  readonly rounds: number;
  readonly series: number;
  readonly queueBytes: number;
  readonly maxQueueBytes: number;
  readonly lagMs: number;
}

const LABELS = ['receiver'] as const;

/** The collector's own metrics of remote write. */
export class RemoteWriteMetrics {
  private readonly sent: Counter<'receiver'>;
  private readonly dropped: Counter<'receiver' | 'reason'>;
  private readonly requests: Counter<'receiver' | 'result'>;
  private readonly rounds: Counter<'receiver'>;
  private readonly gauges: readonly (readonly [Gauge<'receiver'>, (told: ToldReceiver) => number])[];

  constructor(registry: Registry) {
    const registers = [registry];
    this.sent = new Counter({
      name: 'sidelight_remote_write_samples_sent_total',
      help: 'Samples that the receiver took.',
      labelNames: LABELS,
      registers,
    });
    this.dropped = new Counter({
      name: 'sidelight_remote_write_samples_dropped_total',
      help: 'Samples that were given up: the queue was full or damaged, or the receiver refused them.',
      labelNames: ['receiver', 'reason'],
      registers,
    });
    this.requests = new Counter({
      name: 'sidelight_remote_write_requests_total',
      help: 'Requests by result; failed ones are tried again, refused ones are not.',
      labelNames: ['receiver', 'result'],
      registers,
    });
    this.rounds = new Counter({
      name: 'sidelight_remote_write_rounds_total',
      help: 'Times at which the samples of all series were taken.',
      labelNames: LABELS,
      registers,
    });
    const gauge = (name: string, help: string, read: (told: ToldReceiver) => number) =>
      [new Gauge({ name: `sidelight_remote_write_${name}`, help, labelNames: LABELS, registers }), read] as const;
    this.gauges = [
      gauge('samples_pending', 'Samples that wait to be sent.', ({ samplesPending }) => samplesPending),
      gauge('lag_seconds', 'Age of the oldest sample that waits.', ({ lagMs }) => lagMs / 1000),
      gauge('queue_bytes', 'Size of the queue.', ({ queueBytes }) => queueBytes),
      gauge('queue_max_bytes', 'Largest size of the queue.', ({ maxQueueBytes }) => maxQueueBytes),
      gauge('series', 'Series of the newest round.', ({ series }) => series),
    ];
  }

  /** Makes these the receivers that are told; their counts are from the start of the process. */
  set(receivers: readonly ToldReceiver[]): void {
    for (const metric of [this.sent, this.dropped, this.requests, this.rounds]) metric.reset();
    for (const [gauge] of this.gauges) gauge.reset();
    for (const told of receivers) {
      const receiver = told.name;
      this.sent.inc({ receiver }, told.samplesSent);
      this.rounds.inc({ receiver }, told.rounds);
      for (const [reason, count] of Object.entries(told.samplesDropped)) this.dropped.inc({ receiver, reason }, count);
      for (const [result, count] of Object.entries(told.requests)) this.requests.inc({ receiver, result }, count);
      for (const [gauge, read] of this.gauges) gauge.set({ receiver }, read(told));
    }
  }
}
