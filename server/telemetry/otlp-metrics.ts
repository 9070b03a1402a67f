import { Counter, Gauge, type Registry } from 'prom-client';

/** An answer of a receiver, as metrics tell it. */
interface ToldOutcome {
  readonly kind: 'accepted' | 'retry' | 'refused';
  readonly rejected?: number;
}

/** The collector's own metrics of what it pushes by OTLP. */
export class OtlpMetrics {
  private readonly requests: Counter<'result'>;
  private readonly points: Counter<'result'>;
  private readonly acceptedAt: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.requests = new Counter({
      name: 'sidelight_otlp_requests_total',
      help: 'Requests to the receiver of OTLP, by result: retry are those that failed and are made again.',
      labelNames: ['result'],
      registers,
    });
    this.points = new Counter({
      name: 'sidelight_otlp_points_total',
      help: 'Points told to the receiver of OTLP: accepted, rejected by it, or dropped with a request that it refused.',
      labelNames: ['result'],
      registers,
    });
    this.acceptedAt = new Gauge({
      name: 'sidelight_otlp_last_accepted_timestamp_seconds',
      help: 'When the receiver of OTLP took something last; 0 while it never did.',
      registers,
    });
    for (const result of ['accepted', 'retry', 'refused']) this.requests.inc({ result }, 0);
    for (const result of ['accepted', 'rejected', 'dropped']) this.points.inc({ result }, 0);
  }

  /** @param now Unix milliseconds. */
  told({ kind, rejected = 0 }: ToldOutcome, points: number, now: number): void {
    this.requests.inc({ result: kind });
    if (kind === 'refused') this.points.inc({ result: 'dropped' }, points);
    if (kind !== 'accepted') return;
    const left = Math.min(points, rejected);
    this.points.inc({ result: 'accepted' }, points - left);
    this.points.inc({ result: 'rejected' }, left);
    this.acceptedAt.set(now / 1000);
  }
}
