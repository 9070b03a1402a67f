/** What schemas of the API are put together from. */

export type Schema = Readonly<Record<string, unknown>>;

/** An object with exactly these properties. */
export function object(properties: Readonly<Record<string, Schema>>, description?: string): Schema {
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

/** An object with some of the properties, of which only the first ones are always there. */
export function part(properties: Readonly<Record<string, Schema>>, required: readonly string[]): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}

export const listOf = (items: Schema): Schema => ({ type: 'array', items });
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

export const text: Schema = { type: 'string' };
export const count: Schema = { type: 'number', minimum: 0 };
export const countOrNull: Schema = { type: ['number', 'null'], minimum: 0 };
export const wholeNumber: Schema = { type: 'integer', minimum: 0 };
export const time: Schema = { type: 'integer', description: 'Unix milliseconds.' };
export const timeOrNull: Schema = { type: ['integer', 'null'], description: 'Unix milliseconds.' };
export const milliseconds: Schema = { type: ['number', 'null'], minimum: 0, description: 'Milliseconds.' };
export const share: Schema = {
  type: ['number', 'null'],
  minimum: 0,
  maximum: 1,
  description: 'A share of completed requests.',
};
export const role: Schema = { enum: ['sidecar', 'gateway'] };
export const health: Schema = { enum: ['up', 'down', 'unknown'] };
export const labels: Schema = { type: 'object', additionalProperties: text };
export const failureSource: Schema = {
  enum: ['grpc_stats', 'clusters', 'istio', 'status', 'mixed', 'unknown'],
  description:
    'What tells failed gRPC calls, which are HTTP 200: the filter grpc_stats, rq_error of the hosts in /clusters, or the labels of Istio. status: only the status of HTTP tells failures. mixed: not the same at all who measured.',
};
