/** The collector's own metrics as a resource of OTLP. */

import { keyOf, type Labels } from '../../model/labels.ts';
import { type CollectorFamily, writeCollector } from '../collector-families.ts';
import type { EncodedResource, ResourceOptions } from './mesh-resources.ts';
import { MetricsMessage } from './message.ts';

export interface OwnOptions extends Pick<ResourceOptions, 'temporality' | 'histograms' | 'now' | 'version'> {
  readonly families: readonly CollectorFamily[];
  readonly resource: Labels;
  readonly accepted: OwnAccepted;
}

/** What a receiver has been told of the collector itself. */
export interface OwnAccepted {
  /** Up to when, Unix milliseconds: at first when the process began. */
  at: number;
  readonly startedAt: number;
  /** With delta temporality: by series. */
  values: ReadonlyMap<string, number>;
}

export function ownResource({ families, resource, accepted, ...options }: OwnOptions): EncodedResource {
  const isDelta = options.temporality === 'delta';
  const message = new MetricsMessage(
    { ...options, since: isDelta ? accepted.at : accepted.startedAt, at: options.now },
    options.version,
  );
  const values = new Map<string, number>();
  writeCollector(isDelta ? grown(families, accepted.values, values) : families, message);
  return {
    bytes: message.end(resource),
    points: message.points,
    accept() {
      accepted.at = options.now;
      accepted.values = values;
    },
  };
}

const COUNTED: ReadonlySet<unknown> = new Set(['counter', 'histogram']);

/** @param values gets the totals. */
function grown(
  families: readonly CollectorFamily[],
  before: ReadonlyMap<string, number>,
  values: Map<string, number>,
): CollectorFamily[] {
  return families.map((family) => {
    if (!COUNTED.has(family.type)) return family;
    const told = family.values.map((sample) => {
      const key = keyOf([sample.metricName ?? family.name, ...Object.entries(sample.labels).flat().map(String)]);
      values.set(key, sample.value);
      return { ...sample, value: sample.value - (before.get(key) ?? 0) };
    });
    return { ...family, values: told };
  });
}
