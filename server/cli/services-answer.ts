import { z } from 'zod';

const figure = z.number().nullable();

/** What the table needs of the answer of `/api/v1/services`; another version may send more. */
export const servicesSchema = z.object({
  window: z.string(),
  services: z.array(
    z.object({
      service: z.string(),
      namespace: z.string(),
      requests: figure.default(null),
      requestRate: figure,
      errorRate: figure.default(null),
      successRate: figure,
      latencyMs: z.object({ p50: figure, p95: figure, p99: figure, p999: figure }),
      latencySamples: z.number(),
      precision: z.object({ capped: z.boolean() }),
      instances: z.object({ up: z.number(), total: z.number() }),
      alerts: z.object({ firing: z.number(), pending: z.number() }).default({ firing: 0, pending: 0 }),
      state: z.enum(['ok', 'no_traffic', 'no_data', 'too_little_data']),
    }),
  ),
});

export type ServicesAnswer = z.output<typeof servicesSchema>;
export type ServiceRow = ServicesAnswer['services'][number];

/** The message of an error's answer. */
export const errorSchema = z.object({ error: z.object({ message: z.string() }) });
