import { z } from 'zod';
import { patternField } from './mesh-fields.ts';

/** Samples by metric and labels, to be kept or dropped. */
export const sampleRule = z.strictObject({
  metric: patternField('a pattern such as "mesh_request_.*"')
    .optional()
    .describe('RE2 pattern for the whole name of a metric.'),
  labels: z
    .record(z.string(), patternField('a pattern such as "checkout|cart"'))
    .prefault({})
    .describe('RE2 patterns for the whole values of labels; a label that is absent is empty.'),
});
