import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** prom-client's own, which hold the time between two looks besides: an idle loop seems late by it. */
const FOREIGN = ['', '_min', '_max', '_mean', '_stddev', '_p50', '_p90', '_p99'];
const LOOK_EVERY_MS = 20;
const FIGURES = {
  p50: 'Median of how late the event loop was since the last time this was asked for.',
  p90: '90th percentile of how late the event loop was since the last time this was asked for.',
  p99: '99th percentile of how late the event loop was since the last time this was asked for.',
  max: 'The latest that the event loop was since the last time this was asked for.',
} as const;

/** Tells by how much timers came too late, in seconds: what an idle loop waits between two looks is left out. */
export function measureEventLoopDelay(registry: Registry, prefix: string): void {
  for (const end of FOREIGN) registry.removeSingleMetric(`${prefix}nodejs_eventloop_lag${end}_seconds`);
  const histogram = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS });
  histogram.enable();
  const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - LOOK_EVERY_MS) / 1000;
  const gaugeOf = (figure: keyof typeof FIGURES, collect?: () => void) =>
    new Gauge({
      name: `${prefix}nodejs_eventloop_lag_${figure}_seconds`,
      help: FIGURES[figure],
      registers: [registry],
      ...(collect && { collect }),
    });
  // The registry asks in the order in which gauges were made: the first one sets them all.
  const p50 = gaugeOf('p50', () => {
    p50.set(seconds(histogram.percentile(50)));
    p90.set(seconds(histogram.percentile(90)));
    p99.set(seconds(histogram.percentile(99)));
    max.set(histogram.count === 0 ? 0 : seconds(histogram.max));
    histogram.reset();
  });
  const p90 = gaugeOf('p90');
  const p99 = gaugeOf('p99');
  const max = gaugeOf('max');
}
