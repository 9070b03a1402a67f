/** Prometheus text exposition, version 0.0.4. */

export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
}

/** Names to values; those that are empty are left out of the output. */
export type SampleLabels = Readonly<Record<string, string>>;

/** Lines of one family, all together as the format wants it. */
export class FamilyWriter {
  private readonly family: Family;
  private readonly lines: string[] = [];

  constructor(family: Family) {
    this.family = family;
  }

  sample(labels: SampleLabels, value: number, suffix = ''): void {
    this.lines.push(`${this.family.name}${suffix}${labelText(labels)} ${numberText(value)}`);
  }

  /** Empty when there is no sample. */
  text(): string {
    if (this.lines.length === 0) return '';
    const { name, help, type } = this.family;
    return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${this.lines.join('\n')}\n`;
  }
}

function labelText(labels: SampleLabels): string {
  const parts = Object.entries(labels).flatMap(([name, value]) =>
    value === '' ? [] : [`${name}="${escapeValue(value)}"`],
  );
  return parts.length > 0 ? `{${parts.join(',')}}` : '';
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
