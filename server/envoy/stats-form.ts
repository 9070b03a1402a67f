import type { StatsReader } from './stats.ts';
import { JsonStatsReader } from './stats-json.ts';
import { PrometheusStatsReader } from './stats-prometheus.ts';
import { TextStatsReader } from './stats-text.ts';

/** The forms that Envoy writes its stats in. */
export type BodyForm = 'text' | 'json' | 'prometheus';

const READERS: Readonly<Record<BodyForm, (boundsInclusive: boolean) => StatsReader>> = {
  text: (boundsInclusive) => new TextStatsReader(boundsInclusive),
  json: (boundsInclusive) => new JsonStatsReader(boundsInclusive),
  prometheus: (boundsInclusive) => new PrometheusStatsReader(boundsInclusive),
};

/** Enough of a body to tell its form by. */
const HEAD_BYTES = 4096;
/** A comment, or a metric's name with its labels or its value; Envoy's own text has a colon behind the name. */
const PROMETHEUS = /^(?:#|[a-zA-Z_]\w*(?:\{| +[-+\dNI]))/;

/** The form of a body, by its first characters; what is none of the forms is taken for text, whose reader says what is wrong. */
export function formOf(body: Buffer): BodyForm {
  const head = body.toString('utf8', 0, HEAD_BYTES).trimStart();
  if (head.startsWith('{')) return 'json';
  return PROMETHEUS.test(head) ? 'prometheus' : 'text';
}

/** A reader of a form; `boundsInclusive`: whether a bucket holds the bin that its bound is in (Envoy 1.38 and later). */
export function readerOf(form: BodyForm, boundsInclusive: boolean): StatsReader {
  return READERS[form](boundsInclusive);
}
