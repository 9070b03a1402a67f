/**
 * Prometheus text exposition 0.0.4 and OpenMetrics 1.0
 * (https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md).
 */

import {
  type AnswerSink,
  type Extra,
  type Family,
  type HistogramSample,
  type LabelSet,
  labelText,
} from './families.ts';

export type TextFormat = 'text' | 'openmetrics';

/** Gathers text until it is taken. A family without a sample is left out. */
export class TextSink implements AnswerSink {
  private readonly format: TextFormat;
  private family: Family | undefined;
  private name = '';
  private gathered = '';

  constructor(format: TextFormat) {
    this.format = format;
  }

  begin(family: Family): void {
    this.family = family;
    this.name = family.name;
  }

  sample(labels: LabelSet, value: number, extra?: Extra): void {
    this.line('', labels, numberText(value), extra);
  }

  suffixed(suffix: string, labels: LabelSet, value: number, extra?: Extra): void {
    this.line(suffix, labels, numberText(value), extra);
  }

  histogram(labels: LabelSet, histogram: () => HistogramSample): void {
    const { bounds, counts, count, sum } = histogram();
    const own = labels.text;
    const start = own === '' ? '' : `${own},`;
    const braces = own === '' ? '' : `{${own}}`;
    this.head();
    let text = '';
    for (let i = 0; i < bounds.length; i++)
      text += `${this.name}_bucket{${start}le="${this.bound(bounds[i] ?? 0)}"} ${counts[i] ?? 0}\n`;
    text += `${this.name}_bucket{${start}le="+Inf"} ${count}\n`;
    this.gathered += `${text}${this.name}_sum${braces} ${numberText(sum)}\n${this.name}_count${braces} ${count}\n`;
  }

  /** Characters that wait to be taken. */
  get size(): number {
    return this.gathered.length;
  }

  take(): string {
    const text = this.gathered;
    this.gathered = '';
    return text;
  }

  /** What stands after the last family. */
  end(): string {
    return this.format === 'openmetrics' ? '# EOF\n' : '';
  }

  private line(suffix: string, labels: LabelSet, value: string, extra?: Extra): void {
    this.head();
    const comma = labels.text === '' ? '' : ',';
    const text = extra ? `${labels.text}${comma}${labelText(extra[0], this.extra(extra))}` : labels.text;
    this.gathered += text === '' ? `${this.name}${suffix} ${value}\n` : `${this.name}${suffix}{${text}} ${value}\n`;
  }

  /** Written before the first sample of a family. */
  private head(): void {
    const { family } = this;
    if (!family) return;
    this.family = undefined;
    const isOpen = this.format === 'openmetrics';
    const name = isOpen && family.type === 'counter' ? family.name.replace(/_total$/, '') : family.name;
    const type = !isOpen && family.type === 'unknown' ? 'untyped' : family.type;
    this.gathered += `# HELP ${name} ${this.help(family.help)}\n# TYPE ${name} ${type}\n`;
    if (isOpen && family.unit) this.gathered += `# UNIT ${name} ${family.unit}\n`;
  }

  private help(help: string): string {
    const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
    return this.format === 'openmetrics' ? escaped.replaceAll('"', '\\"') : escaped;
  }

  private extra([name, value]: Extra): string {
    return name === 'le' && value !== '+Inf' ? this.bound(Number(value)) : value;
  }

  private bound(value: number): string {
    return this.format === 'openmetrics' ? openMetricsBound(value) : numberText(value);
  }
}

/** Of a bucket, as Prometheus 3 and all that read OpenMetrics keep it: `1.0`. */
export function openMetricsBound(value: number): string {
  const text = numberText(value);
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
