/** Which format a client asks for, by its Accept header (RFC 9110, section 12.5.1). */

export interface MediaType {
  readonly format: 'text' | 'openmetrics' | 'protobuf';
  readonly type: string;
  /** Parameters that must not be asked for with another value. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly contentType: string;
}

/** In the order of preference among equals; the first is what everybody understands. */
export const MEDIA_TYPES: readonly [MediaType, ...MediaType[]] = [
  {
    format: 'text',
    type: 'text/plain',
    parameters: { version: '0.0.4' },
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
  },
  {
    format: 'openmetrics',
    type: 'application/openmetrics-text',
    parameters: { version: '1.0.0' },
    contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  },
  {
    format: 'protobuf',
    type: 'application/vnd.google.protobuf',
    parameters: { proto: 'io.prometheus.client.MetricFamily', encoding: 'delimited' },
    contentType: 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
  },
];

/** Most parts of a header that are looked at. */
const MOST_RANGES = 50;

interface Range {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** The type that the header prefers; plain text where it names none that can be given, as Prometheus's own clients do. */
export function chooseMediaType(accept: string | undefined): MediaType {
  const ranges = (accept ?? '').split(',', MOST_RANGES).map(readRange);
  let best = MEDIA_TYPES[0];
  let bestQuality = 0;
  for (const candidate of MEDIA_TYPES) {
    const quality = qualityOf(candidate, ranges);
    if (quality <= bestQuality) continue;
    best = candidate;
    bestQuality = quality;
  }
  return best;
}

/** By the most specific range that names it: with parameters before without, a type before a wildcard. */
function qualityOf(candidate: MediaType, ranges: readonly Range[]): number {
  let quality = 0;
  let specificity = -1;
  for (const range of ranges) {
    const fits = specificityOf(candidate, range);
    if (fits <= specificity) continue;
    specificity = fits;
    quality = range.quality;
  }
  return quality;
}

function specificityOf({ type, parameters }: MediaType, range: Range): number {
  if (range.type === '*/*') return 0;
  if (range.type === `${type.split('/')[0]}/*`) return 1;
  if (range.type !== type) return -1;
  let equal = 0;
  for (const [name, value] of Object.entries(parameters)) {
    const asked = range.parameters.get(name);
    if (asked === value) equal++;
    else if (asked !== undefined) return -1;
  }
  return 2 + equal;
}

function readRange(text: string): Range {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = new Map(
    rest.map((part) => {
      const [name = '', value = ''] = part.split('=', 2);
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1')] as const;
    }),
  );
  const quality = Number(parameters.get('q') ?? 1);
  return { type: type.toLowerCase(), parameters, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}
