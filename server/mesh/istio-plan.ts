import { type IstioSeries, parseIstioStatName } from '../envoy/istio-names.ts';
import type { StatsLayout } from '../envoy/stats.ts';
import { COUNTER_INDEX, type Counter, type FlowKey, GAUGE_INDEX, type Identity } from '../model/flow.ts';
import { keyOf } from '../model/labels.ts';
import { NO_STEPS } from './no-steps.ts';
import type { CounterStep, GaugeStep, Plan, Step } from './plan.ts';

/**
 * The plan for a sidecar that tells Istio's own metrics; undefined for others. They count every request with its
 * latency, timeouts included, so what Envoy's clusters and connection managers may tell besides would count it twice.
 */
export function compileIstioPlan({ scalars, histograms }: StatsLayout, role: Identity['role']): Plan | undefined {
  const counted = scalars.map(parseIstioStatName);
  if (counted.every((series) => series === undefined)) return undefined;
  const flows = new Flows();
  const owners: number[] = [];
  const counters: CounterStep[] = counted.flatMap((series, slot) => {
    if (!series) return [];
    const flow = flows.indexOf(series);
    const owner = owners.push(flow) - 1;
    const fields = series.fields.filter((field) => field !== CLOSED);
    return fields.map((field) => ({ slot, flow, field: COUNTER_INDEX[field as Counter], owner }));
  });
  const latencies: Step[] = histograms.flatMap((name, slot) => {
    const series = parseIstioStatName(name);
    return series ? [{ slot, flow: flows.indexOf(series), field: 0 }] : [];
  });
  const open = { field: GAUGE_INDEX.active_connections };
  const gauges: GaugeStep[] = counted.flatMap((series, slot) => {
    const sign = series?.fields.includes('connections') ? 1 : series?.fields.includes(CLOSED) ? -1 : undefined;
    return series && sign ? [{ ...open, slot, flow: flows.indexOf(series), sign }] : [];
  });
  const inbound = flows.keys.some(({ direction }) => direction === 'inbound');
  const steps = { gauges, flows: flows.keys, owners, counters, histograms: latencies };
  return { ...NO_STEPS, ...steps, failureSource: 'istio', inbound, role };
}

/** Open connections are those that were opened and not closed. */
const CLOSED = 'closed';

class Flows {
  readonly keys: FlowKey[] = [];
  private readonly index = new Map<string, number>();

  indexOf({ direction, service, namespace }: IstioSeries): number {
    const key = keyOf([direction, service, namespace]);
    const known = this.index.get(key);
    if (known !== undefined) return known;
    this.index.set(key, this.keys.length);
    return this.keys.push({ direction, peer: service, peerNamespace: namespace, source: 'downstream' }) - 1;
  }
}
