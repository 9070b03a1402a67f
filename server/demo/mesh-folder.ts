import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isScalar, parse, parseDocument, visit } from 'yaml';
import { z } from 'zod';
import { DemoError, firstLine } from './demo-error.ts';
import type { MeshServices, MeshTraffic } from './mesh.ts';
import type { PortUse } from './ports.ts';

export const meshesFolder = join(import.meta.dirname, '../../examples/meshes');
const projectFolder = join(import.meta.dirname, '../..');

/** A mesh as its folder describes it, with the offset in every port. */
export interface Mesh {
  name: string;
  folder: string;
  portOffset: number;
  envoys: Bootstrap[];
  frontPort: number;
  /** Everything that will listen. */
  ports: PortUse[];
}

export interface Bootstrap {
  instance: string;
  /** Name of the file in the mesh's folder. */
  file: string;
  admin: Address;
  listeners: ({ name: string } & Address)[];
}

interface Address {
  host: string;
  port: number;
}

const addressSchema = z
  .object({ socket_address: z.object({ address: z.string(), port_value: z.number() }) })
  .transform(({ socket_address: { address, port_value } }): Address => ({ host: address, port: port_value }));

const bootstrapSchema = z.object({
  node: z.object({ id: z.string() }),
  admin: z.object({ address: addressSchema }),
  static_resources: z.object({
    listeners: z.array(z.object({ name: z.string(), address: addressSchema })).default([]),
  }),
});

/** Reads the folder of a mesh. Throws a DemoError when there is no such mesh or a bootstrap lacks what is needed. */
export async function loadMesh({ name, portOffset }: { name: string; portOffset: number }): Promise<Mesh> {
  const folder = await meshFolder(name);
  const services: MeshServices = await import(join(folder, 'services.ts'));
  const traffic: MeshTraffic = await import(join(folder, 'traffic.ts'));
  const envoys = await readBootstraps(folder, portOffset);
  const apps = services.apps.map(({ instance, port }) => ({ instance, port: port + portOffset }));
  const ports = [...envoys.flatMap((envoy) => portsOf(envoy, folder)), ...apps.map((app) => portOfApp(app, folder))];
  return { name, folder, portOffset, envoys, frontPort: traffic.frontPort + portOffset, ports };
}

async function meshFolder(name: string): Promise<string> {
  const entries = await readdir(meshesFolder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  if (names.includes(name)) return join(meshesFolder, name);
  throw new DemoError(`there is no mesh ${name} in examples/meshes, only: ${names.sort().join(', ')}`);
}

async function readBootstraps(folder: string, portOffset: number): Promise<Bootstrap[]> {
  const bootstraps: Bootstrap[] = [];
  for (const file of (await yamlFiles(folder)).filter((path) => !path.includes('/'))) {
    const content: unknown = parse(offsetPorts(await readFile(join(folder, file), 'utf8'), portOffset));
    if (typeof content === 'object' && content !== null && 'admin' in content)
      bootstraps.push(bootstrap(file, content));
  }
  return bootstraps;
}

function bootstrap(file: string, content: object): Bootstrap {
  const result = bootstrapSchema.safeParse(content);
  if (!result.success) throw new DemoError(`${file}: ${firstLine(z.prettifyError(result.error))}`);
  const { node, admin, static_resources } = result.data;
  const listeners = static_resources.listeners.map(({ name, address }) => ({ name, ...address }));
  return { instance: node.id, file, admin: admin.address, listeners };
}

async function yamlFiles(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true });
  return files.filter((file) => file.endsWith('.yaml')).sort();
}

function portsOf({ instance, file, admin, listeners }: Bootstrap, folder: string): PortUse[] {
  const where = relative(projectFolder, join(folder, file));
  const named = listeners.map(({ name, host, port }) => ({
    host,
    port,
    user: `listener ${name} of ${instance}`,
    where,
  }));
  return [{ ...admin, user: `admin of ${instance}`, where }, ...named];
}

function portOfApp({ instance, port }: { instance: string; port: number }, folder: string): PortUse {
  const where = relative(projectFolder, join(folder, 'services.ts'));
  return { host: '127.0.0.1', port, user: `the application ${instance}`, where };
}

/** Adds `offset` to every `port_value` of an Envoy configuration in YAML; all else, comments included, stays. */
export function offsetPorts(text: string, offset: number): string {
  if (offset === 0) return text;
  const document = parseDocument(text);
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || key.value !== 'port_value' || !isScalar(value)) return;
      if (typeof value.value === 'number') value.value += offset;
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** Writes the mesh's YAML files, with the offset in their ports, to the same places in another folder. */
export async function writeConfiguration({ folder, portOffset }: Mesh, target: string): Promise<void> {
  for (const file of await yamlFiles(folder)) {
    const path = join(target, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, offsetPorts(await readFile(join(folder, file), 'utf8'), portOffset));
  }
}
