/** Checks what the API answers against its OpenAPI description. */

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import type { Operation } from '../../server/api/openapi.ts';
import { openApi } from '../../server/api/openapi.ts';
import type { Schema } from '../../server/api/openapi-parts.ts';

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictTuples: false, allErrors: true });
ajv.addVocabulary(['components']);
ajv.addSchema({ $id: 'openapi', components: openApi.components });
const validators = new Map<string, ValidateFunction>();

/** A function that checks values against a schema of the description. */
export function validatorOf(schema: Schema): ValidateFunction {
  const key = JSON.stringify(schema);
  const absolute = typeof schema.$ref === 'string' ? { $ref: `openapi${schema.$ref}` } : schema;
  const validate = validators.get(key) ?? ajv.compile(absolute);
  validators.set(key, validate);
  return validate;
}

/** The description of an address such as `/api/v1/services/shop?window=1m`. */
export function operationOf(path: string): Operation | undefined {
  const [address = ''] = path.split('?');
  const template = Object.keys(openApi.paths).find((known) =>
    new RegExp(`^${known.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(address),
  );
  return template === undefined ? undefined : (openApi.paths[template]?.get ?? openApi.paths[template]?.post);
}

/** Fails where an answer, its status, its content type or a parameter of the request is not as described. */
export function checkAnswer(path: string, response: Response, body: unknown): void {
  const operation = operationOf(path);
  const described = operation?.responses[response.status];
  expect(described, `${path} with status ${response.status}`).toBeDefined();
  const [type = ''] = response.headers.get('content-type')?.split(';') ?? [];
  const schema = described?.content?.[type]?.schema;
  if (!schema) throw new Error(`${path} is not described to be answered with ${type}`);
  const validate = validatorOf(schema);
  validate(body);
  expect(validate.errors ?? [], path).toEqual([]);
  if (response.status !== 200) return;
  const names = operation?.parameters?.filter((parameter) => parameter.in === 'query').map(({ name }) => name) ?? [];
  for (const name of new URLSearchParams(path.split('?')[1] ?? '').keys()) expect(names, path).toContain(name);
}
