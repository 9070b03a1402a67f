/** The same signal as it was some time before: drawn faintly behind a chart's lines. Pure. */

import type { QueryAnswer } from '../../server/api/contract.ts';
import { stepsOf, sumAt, valuesAt } from './chart-data.ts';

export interface Ghost {
  /** Such as `1 day ago`. */
  readonly label: string;
  /** Its own steps: what is long ago may be kept in coarser ones. */
  readonly stepMs: number;
  /** Starts of the steps, as if they were not earlier. */
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
}

/** The sum of an answer's series as a ghost; null unless the answer is from `offsetMs` before. */
export function ghostOf(answer: QueryAnswer | null, label: string, offsetMs: number): Ghost | null {
  if (answer?.offsetMs !== offsetMs) return null;
  const times = stepsOf(answer);
  const lines = answer.series.map(({ points }) => ({ values: valuesAt(points, times) }));
  return { label, stepMs: answer.step, times, values: sumAt(lines, times.length) };
}

/** What it was at a moment; null where it was not measured. */
export function ghostAt({ times, stepMs, values }: Ghost, moment: number): number | null {
  const first = times[0];
  return first === undefined ? null : (values[Math.floor((moment - first) / stepMs)] ?? null);
}
