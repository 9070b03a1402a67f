/** The collector's own metrics, as prom-client tells them, in the terms of this exporter. */

import { type Family, type FamilySink, LabelSet, type Labels } from './families.ts';

/** What `Registry.getMetricsAsJSON()` of prom-client gives. */
export interface CollectorFamily {
  readonly name: string;
  readonly help: string;
  /** A name; typed as a number there. */
  readonly type: unknown;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number | undefined>>;
    readonly metricName?: string;
  }[];
}

const TYPES: ReadonlySet<unknown> = new Set<Family['type']>(['counter', 'gauge', 'histogram', 'summary']);
/** Quantities that metrics end in, after `_total` is taken off. */
const UNITS = ['seconds', 'bytes'] as const;

export function writeCollector(families: readonly CollectorFamily[], sink: FamilySink): void {
  for (const { name, help, type, values } of families) {
    const unit = UNITS.find((known) => name.replace(/_total$/, '').endsWith(`_${known}`));
    sink.begin({ name, help, type: isType(type) ? type : 'unknown', ...(unit ? { unit } : {}) });
    for (const { value, labels, metricName } of values) {
      const suffix = metricName?.startsWith(name) ? metricName.slice(name.length) : '';
      const { le, ...others } = asText(labels);
      sink.suffixed(suffix, new LabelSet(others), value, le === undefined ? undefined : ['le', le]);
    }
  }
}

function isType(type: unknown): type is Family['type'] {
  return TYPES.has(type);
}

function asText(labels: CollectorFamily['values'][number]['labels']): Labels {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
