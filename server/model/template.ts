/**
 * Templates of annotations, in the spelling of Prometheus: `{{ .labels.service }}`, `{{ .value }}`, `{{ $labels.x }}`
 * and `{{ $value }}` too. No functions, no conditions: what can't be filled in is told when the configuration is read.
 */

export interface TemplateValues {
  readonly labels: Readonly<Record<string, string>>;
  /** Already in words and with its unit. */
  readonly value: string;
  readonly threshold: string;
  readonly requests: string;
  /** Link to the dashboard at this service and time; empty without `web.external_url`. */
  readonly link: string;
}

const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;
const LABEL = /^(?:\.|\$)labels\.([a-zA-Z_][a-zA-Z0-9_]*)$/;
const FIELDS = ['value', 'threshold', 'requests', 'link'] as const;
const FIELD = new RegExp(`^(?:\\.|\\$)(${FIELDS.join('|')})$`);
const KNOWN = `{{ .labels.NAME }}, ${FIELDS.map((field) => `{{ .${field} }}`).join(', ')}`;

/** What is wrong with a template, and what would be right; undefined when nothing is. */
export function templateProblem(template: string, labels: readonly string[]): string | undefined {
  const rest = template.replaceAll(PLACEHOLDER, '');
  if (rest.includes('{{') || rest.includes('}}')) return 'a {{ or }} without its counterpart';
  for (const [whole, inner = ''] of template.matchAll(PLACEHOLDER)) {
    const expression = inner.trim();
    const label = LABEL.exec(expression)?.[1];
    if (label !== undefined && !labels.includes(label))
      return `${whole} names a label that the alert does not have; it has ${labels.join(', ') || 'none'}`;
    if (label === undefined && !FIELD.test(expression)) return `${whole} is not known here; write ${KNOWN}`;
  }
  return undefined;
}

/** Fills in a template; what is not known stays empty. */
export function fillTemplate(template: string, values: TemplateValues): string {
  return template.replaceAll(PLACEHOLDER, (_, inner: string) => {
    const expression = inner.trim();
    const label = LABEL.exec(expression)?.[1];
    if (label !== undefined) return values.labels[label] ?? '';
    const field = FIELDS.find((name) => name === FIELD.exec(expression)?.[1]);
    return field === undefined ? '' : values[field];
  });
}
