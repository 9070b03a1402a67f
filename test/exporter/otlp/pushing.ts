/** An exporter on a mesh made by hand, whose waits end at once. */

import { onTestFinished } from 'vitest';
import { OtlpExporter, type OtlpExporterOptions } from '../../../server/exporter/otlp/otlp-exporter.ts';
import type { Outcome } from '../../../server/exporter/otlp/outcome.ts';
import type { OtlpSettings } from '../../../server/exporter/otlp/settings.ts';
import { Live } from '../../../server/live/live.ts';

export const SETTINGS: OtlpSettings = {
  url: '',
  protocol: 'http/protobuf',
  intervalMs: 60_000,
  timeoutMs: 5000,
  temporality: 'cumulative',
  compression: 'none',
  histograms: 'exponential',
  headers: {},
  headerFiles: {},
};

export interface Pushing {
  readonly exporter: OtlpExporter;
  readonly live: Live;
  readonly outcomes: Outcome[];
  /** How long was waited each time, in milliseconds. */
  readonly waits: number[];
  /** Of pushes that went wrong in a way that was not foreseen. */
  readonly errors: unknown[];
  /** One push at this moment, with the time of a whole interval. */
  push(at: number): Promise<void>;
}

export interface PushingOptions extends Partial<Omit<OtlpExporterOptions, 'settings'>> {
  readonly settings: Partial<OtlpSettings>;
  readonly live?: Live;
}

export async function pushing({ settings, live = new Live(), ...others }: PushingOptions): Promise<Pushing> {
  const outcomes: Outcome[] = [];
  const waits: number[] = [];
  const errors: unknown[] = [];
  let clock = 0;
  const exporter = await OtlpExporter.open({
    settings: { ...SETTINGS, ...settings },
    targets: () => live.all(),
    own: async () => [],
    resource: { 'service.name': 'sidelight' },
    buckets: () => [0.1, 1],
    statePath: undefined,
    remembered: new Set(),
    version: '1.2.3',
    startedAt: 0,
    now: () => clock,
    random: () => 0.5,
    wait: async (ms) => {
      waits.push(ms);
      clock += ms;
    },
    onOutcome: (outcome) => outcomes.push(outcome),
    onError: (error) => errors.push(error),
    ...others,
  });
  onTestFinished(() => exporter.close());
  return {
    exporter,
    live,
    outcomes,
    waits,
    errors,
    async push(at) {
      clock = at;
      await exporter.pushNow();
    },
  };
}
