import type { AlertRule, AlertsConfig } from '../config/alerts-config.ts';
import type { AlertLabel } from '../config/alerts-schema.ts';

/** What is known of targets, and not of what they measured. */
export type TargetCondition =
  /** A target can't be scraped. */
  | { readonly kind: 'sidecar_down' }
  /** Nothing is measured any more of a service that had traffic in the time before. */
  | { readonly kind: 'silent'; readonly beforeMs: number };

/** A rule as it is evaluated: one of the configuration's, or a built-in one. */
export type Rule = Omit<AlertRule, 'condition'> & { readonly condition: AlertRule['condition'] | TargetCondition };

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const COMMON = {
  by: ['service', 'namespace'] as readonly AlertLabel[],
  direction: 'inbound' as const,
  match: {},
  windowMs: 5 * MINUTE_MS,
  forMs: 5 * MINUTE_MS,
  keepFiringForMs: 5 * MINUTE_MS,
  minRequests: 50,
  severity: 'page',
  labels: {},
};

/** What can be written in the configuration as it stands here. */
export const BUILTIN_SIGNAL_RULES: readonly AlertRule[] = [
  {
    ...COMMON,
    name: 'ServiceFailing',
    condition: { kind: 'threshold', signal: 'error_rate', side: 'above', value: 0.05, clearAt: 0.05 },
    annotations: { summary: '{{ .labels.service }} fails {{ .value }} of its requests' },
  },
  {
    ...COMMON,
    name: 'ServiceSlow',
    condition: { kind: 'comparison', signal: 'latency_p99', againstMs: DAY_MS, factor: 3, floor: 500 },
    annotations: {
      summary: '{{ .labels.service }} is slow: p99 is {{ .value }}, more than three times that of a day ago',
    },
  },
];

const TARGET_RULES: readonly Rule[] = [
  {
    ...COMMON,
    name: 'SidecarDown',
    condition: { kind: 'sidecar_down' },
    by: ['service', 'namespace', 'instance'],
    forMs: 2 * MINUTE_MS,
    keepFiringForMs: 0,
    minRequests: 0,
    severity: 'ticket',
    annotations: { summary: 'the sidecar of {{ .labels.instance }} can not be scraped' },
  },
  {
    ...COMMON,
    name: 'ServiceSilent',
    condition: { kind: 'silent', beforeMs: 60 * MINUTE_MS },
    forMs: 2 * MINUTE_MS,
    keepFiringForMs: 0,
    minRequests: 0,
    annotations: { summary: 'nothing is measured of {{ .labels.service }} any more, which had traffic before' },
  },
];

export const BUILTIN_RULES: readonly Rule[] = [...BUILTIN_SIGNAL_RULES, ...TARGET_RULES];

/** The rules that are on; one of the configuration's takes the place of a built-in one of its name. */
export function rulesOf({ defaults, rules }: Pick<AlertsConfig, 'defaults' | 'rules'>): readonly Rule[] {
  const own = new Set(rules.map(({ name }) => name));
  return [...rules, ...(defaults ? BUILTIN_RULES.filter(({ name }) => !own.has(name)) : [])];
}
