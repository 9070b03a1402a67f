import type { CollectorFamily } from '../../server/exporter/collector-families.ts';
import { type RenderInput, renderMetrics } from '../../server/exporter/render.ts';
import type { LiveTarget } from '../../server/live/live.ts';

/** /metrics as one text. */
export function rendered(targets: readonly LiveTarget[], options: Partial<RenderInput> = {}): string {
  const own: readonly CollectorFamily[] = [];
  const input: RenderInput = {
    targets,
    own,
    level: 'instance',
    buckets: [1],
    seriesLimit: 1_000_000,
    filter: () => true,
    format: 'text',
    now: 1000,
    ...options,
  };
  return [...renderMetrics(input)].map((piece) => piece ?? '').join('');
}
