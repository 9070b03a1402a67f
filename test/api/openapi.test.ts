/** The OpenAPI description: whole in itself, and in step with the contract and with what is served. */

import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApi } from '../../server/api/openapi.ts';
import { SCHEMAS } from '../../server/api/openapi-schemas.ts';
import { checkAnswer, validatorOf } from './described.ts';
import { MIXED } from './meshes.ts';
import { type RunningApi, startApi } from './running-api.ts';

const operations = Object.entries(openApi.paths).map(([path, { get, post }]) => ({
  path,
  method: get ? 'GET' : 'POST',
  ...(get ?? post),
}));

const CONTRACT = new URL('../../server/api/contract/', import.meta.url);

/** Names of the fields of every interface of the contract, inherited ones included. */
function contractFields(): Map<string, string[]> {
  const found = new Map<string, { base: string | undefined; own: string[] }>();
  const source = readdirSync(CONTRACT)
    .map((file) => readFileSync(new URL(file, CONTRACT), 'utf8'))
    .join('');
  for (const [, name = '', base, body = ''] of source.matchAll(
    /^export interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}/gms,
  ))
    found.set(name, { base, own: [...body.matchAll(/^ {2}(\w+):/gm)].map(([, field = '']) => field) });
  const fieldsOf = (name = ''): string[] => {
    const { base, own } = found.get(name) ?? { base: undefined, own: [] };
    return [...(base === undefined ? [] : fieldsOf(base)), ...own];
  };
  return new Map([...found.keys()].map((name) => [name, fieldsOf(name)]));
}

describe('the schemas', () => {
  const fields = contractFields();

  test('cover the contract', () => {
    expect(fields.size).toBeGreaterThan(40);
    expect(fields.get('AlertHistoryAnswer')).toContain('windowMs');
  });

  test.each([...fields.keys()].filter((name) => name !== 'Figures'))(
    '%s has just the fields of the contract',
    (name) => {
      const schema = SCHEMAS[name];
      expect(Object.keys(schema?.properties ?? {}).sort()).toEqual([...(fields.get(name) ?? [])].sort());
      expect(schema).toMatchObject({ additionalProperties: false, required: Object.keys(schema?.properties ?? {}) });
    },
  );

  test.each(Object.keys(SCHEMAS))('%s is a sound JSON Schema', (name) => {
    expect(validatorOf({ $ref: `#/components/schemas/${name}` })).toBeTypeOf('function');
  });
});

describe('the operations', () => {
  test('have names of their own and lead to schemas that exist', () => {
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const [, name = ''] of JSON.stringify(openApi).matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(Object.keys(SCHEMAS)).toContain(name);
  });

  test.each(operations.flatMap(({ path, parameters = [] }) => parameters.map((parameter) => ({ path, parameter }))))(
    '$parameter.name of $path has an example and a default that fit',
    ({ path, parameter: { name, in: place, schema, example, required } }) => {
      const validate = validatorOf(schema);
      expect(validate(example), JSON.stringify(validate.errors)).toBe(true);
      if ('default' in schema) expect(validate(schema.default)).toBe(true);
      expect(path.includes(`{${name}}`)).toBe(place === 'path');
      if (place === 'path') expect(required).toBe(true);
    },
  );
});

describe('what is served', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi(MIXED, { now: () => Date.parse('2026-11-21T10:20:00Z') });
  });
  afterAll(() => api.stop());

  test('is this description', async () => {
    expect(await api.get('/api/v1/openapi.json')).toEqual(JSON.parse(JSON.stringify(openApi)));
  });

  test.each(
    operations
      .filter(({ path }) => path.startsWith('/api/') && !path.endsWith('/events'))
      .flatMap((operation) => [
        { ...operation, without: ['from', 'to'] },
        { ...operation, without: ['window'] },
      ]),
  )('$path takes every parameter that is described, without $without', async ({ path, parameters = [], without }) => {
    const search = new URLSearchParams();
    for (const { name, in: place, example } of parameters)
      if (place === 'query' && !without.includes(name)) search.append(name, String(example));
    const address = `${path.replace('{service}', 'shop')}?${search}`;
    const response = await fetch(api.url + address);
    const body = await response.json();
    checkAnswer(address, response, body);
    expect([200, 404], JSON.stringify(body)).toContain(response.status);
  });

  test.each(operations.filter(({ path }) => !path.startsWith('/api/')))(
    '$path answers as described',
    async ({ path, method }) => {
      const response = await fetch(api.url + path, { method });
      checkAnswer(path, response, await response.text());
    },
  );

  test('every address of the contract is described', () => {
    expect(operations.map(({ path }) => path)).toEqual([
      '/api/v1/services',
      '/api/v1/services/{service}',
      '/api/v1/query',
      '/api/v1/heatmap',
      '/api/v1/topology',
      '/api/v1/regions',
      '/api/v1/targets',
      '/api/v1/http_sd',
      '/api/v1/alerts',
      '/api/v1/alerts/history',
      '/api/v1/rules',
      '/api/v1/rules/test',
      '/api/v1/status',
      '/api/v1/events',
      '/api/v1/openapi.json',
      '/metrics',
      '/-/healthy',
      '/-/ready',
      '/-/reload',
    ]);
  });
});
