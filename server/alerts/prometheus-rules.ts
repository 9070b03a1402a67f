import { Document } from 'yaml';
import { formatDuration } from '../model/duration.ts';
import type { Rule } from './builtin-rules.ts';
import { expressionOf } from './promql.ts';

export interface RuleFileInput {
  readonly rules: readonly Rule[];
  /** Bounds of latency in seconds that /metrics has. */
  readonly buckets: readonly number[];
}

const HEAD = ` Alerts of Sidelight for Prometheus, over the series of its /metrics (scraped with honor_labels: true).
 Percentiles come from the buckets of /metrics there: they may differ by a bucket's width.`;

/** The rules as a file that Prometheus reads; what it can't tell is a comment that says why. */
export function prometheusRuleFile({ rules, buckets }: RuleFileInput): string {
  const remarks: string[] = [];
  const written = rules.flatMap((rule) => {
    const expressed = expressionOf(rule, buckets);
    if ('impossible' in expressed) {
      remarks.push(` ${rule.name} is left out: ${expressed.impossible}.`);
      return [];
    }
    const { condition } = rule;
    if (condition.kind === 'threshold' && condition.clearAt !== condition.value)
      remarks.push(` ${rule.name} ends at its threshold here: Prometheus has no clear_at.`);
    return [alertOf(rule, expressed.expression)];
  });
  const document = new Document({ groups: [{ name: 'sidelight', rules: written }] });
  document.commentBefore = [HEAD, ...remarks].join('\n');
  return document.toString({ lineWidth: 0 });
}

function alertOf(rule: Rule, expression: string): Record<string, unknown> {
  const annotations = Object.entries(rule.annotations).map(([name, text]) => [name, forPrometheus(text)]);
  return {
    alert: rule.name,
    expr: expression,
    ...(rule.forMs > 0 ? { for: formatDuration(rule.forMs) } : {}),
    ...(rule.keepFiringForMs > 0 ? { keep_firing_for: formatDuration(rule.keepFiringForMs) } : {}),
    labels: { severity: rule.severity, ...rule.labels },
    ...(annotations.length > 0 ? { annotations: Object.fromEntries(annotations) } : {}),
  };
}

/** Placeholders in Prometheus's spelling; what only Sidelight knows is left out. */
function forPrometheus(template: string): string {
  return template.replaceAll(/\{\{([^{}]*)\}\}/g, (_, inner: string) => {
    const expression = inner.trim().replace(/^[.$]/, '');
    if (expression.startsWith('labels.')) return `{{ $${expression} }}`;
    return expression === 'value' ? '{{ $value | humanize }}' : '';
  });
}
