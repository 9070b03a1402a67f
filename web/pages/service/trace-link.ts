/** The way to the tracing UI, where the configuration names one. Pure. */

export interface TraceWish {
  readonly service: string;
  /** Unix milliseconds. */
  readonly from: number;
  readonly to: number;
}

/** `web.trace_url` out of the configuration that the status tells; empty where there is none. */
export function traceTemplate(config: unknown): string {
  const web = field(config, 'web');
  const template = field(web, 'traceUrl') ?? field(web, 'trace_url');
  return typeof template === 'string' ? template : '';
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Its address for a service and a time; null where there is none, or it is no web address. */
export function traceAddress(template: string, { service, from, to }: TraceWish): string | null {
  const values: Readonly<Record<string, string>> = {
    service: encodeURIComponent(service),
    from: String(Math.floor(from) * 1000),
    to: String(Math.floor(to) * 1000),
    from_ms: String(Math.floor(from)),
    to_ms: String(Math.floor(to)),
  };
  const address = template.replaceAll(/\{(\w+)\}/g, (place, word: string) => values[word] ?? place);
  return /^https?:\/\//i.test(address) ? address : null;
}
