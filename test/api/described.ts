/** Checks what the API answers against its OpenAPI description. */

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
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
  const validate = validators.get(key) ?? ajv.compile(JSON.parse(key.replaceAll('"$ref":"#', '"$ref":"openapi#')));
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

/** What of an answer, its status, its content type or its body is not as described; undefined when all is. */
export function problemOf(path: string, { status, type }: { status: number; type: string }, body: unknown) {
  const described = operationOf(path)?.responses[status];
  if (described === undefined) return `${path} is not described to be answered with status ${status}`;
  const schema = described.content?.[type.split(';')[0] ?? '']?.schema;
  if (!schema) return `${path} is not described to be answered with ${type}`;
  const validate = validatorOf(schema);
  return validate(body) ? undefined : `${path}: ${ajv.errorsText(validate.errors)}`;
}

/** Throws where an answer, its status, its content type or a parameter of the request is not as described. */
export function checkAnswer(path: string, response: Response, body: unknown): void {
  const { status, headers } = response;
  const problem = problemOf(path, { status, type: headers.get('content-type') ?? '' }, body);
  if (problem !== undefined) throw new Error(problem);
  if (status !== 200) return;
  const names = operationOf(path)
    ?.parameters?.filter((parameter) => parameter.in === 'query')
    .map(({ name }) => name);
  for (const name of new URLSearchParams(path.split('?')[1] ?? '').keys())
    if (!names?.includes(name)) throw new Error(`${path}: ${name} is not described`);
}
