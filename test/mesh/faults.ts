import { RE2JS } from 're2js';
import { STATS_FORMS } from '../../server/envoy/requests.ts';
import { increments } from '../../server/mesh/increments.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { compilePlan } from '../../server/mesh/plan.ts';
import { COUNTERS, type FlowIncrement } from '../../server/model/flow.ts';
import { sampleCount } from '../../server/model/histogram.ts';
import { captureJson } from '../envoy/captures.ts';
import { readingOf } from '../envoy/stats-body.ts';

/** One fault that was provoked at a real Envoy, and what every counter of it grew by. */
export interface Fault {
  readonly fault: string;
  readonly counters: Readonly<Record<string, number>>;
  readonly histogram_samples: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
}

export function faultsOf(path: string): readonly Fault[] {
  return captureJson<{ faults: readonly Fault[] }>(path).faults;
}

const filter = RE2JS.compile(new URL(STATS_FORMS[0].path, 'http://envoy').searchParams.get('filter') ?? '');
const BEFORE = 1000;

/** The increments of a fault at an Envoy that had counted before, seen through the filter of our requests. */
function incrementsOf(fault: Fault, role: 'sidecar' | 'gateway'): FlowIncrement[] {
  const counters = asked(fault.counters);
  const samples = asked(fault.histogram_samples);
  const before = (values: object) => Object.fromEntries(Object.keys(values).map((name) => [name, BEFORE]));
  const after = (values: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(values).map(([name, grown]) => [name, BEFORE + grown]));
  const bins = (counts: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, { 5: count }]));
  const previous = readingOf({
    scalars: { 'server.uptime': 1, ...before(counters) },
    histograms: bins(before(samples)),
  });
  const current = readingOf({ scalars: { 'server.uptime': 1, ...after(counters) }, histograms: bins(after(samples)) });
  const plan = compilePlan({
    layout: current.layout,
    service: 'caller',
    labelledRole: role,
    namedRole: role,
    managers: new Set(['egress_http', 'ingress_http', 'ingress_https']),
    rules: NO_RULES,
  });
  return increments(plan, current, previous);
}

function asked(values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => filter.matcher(name).find()));
}

/** `2xx 9, 5xx 1, timeout 1; 9 samples` of a flow; bytes and connections are left out. Empty without any. */
export function told({ counters, bins }: FlowIncrement): string {
  const counted = COUNTERS.flatMap((name, index) => {
    const count = counters[index] ?? 0;
    return count === 0 || /^(?:bytes|connections)/.test(name) ? [] : [`${name} ${count}`];
  });
  const samples = sampleCount(bins);
  return [counted.join(', '), ...(samples > 0 ? [`${samples} samples`] : [])].join('; ');
}

/** What a sidecar counts of a fault for each peer, or for its own service as `inbound`; flows without any left out. */
export function seenBySidecar(fault: Fault): Record<string, string> {
  const seen = incrementsOf(fault, 'sidecar').map((flow) => [flow.flow.peer || 'inbound', told(flow)] as const);
  return Object.fromEntries(seen.filter(([, text]) => text !== ''));
}

/** What a gateway counts of a fault as requests to itself. */
export function seenByGateway(fault: Fault): string {
  const inbound = incrementsOf(fault, 'gateway').find(({ flow }) => flow.direction === 'inbound');
  return inbound ? told(inbound) : '';
}
