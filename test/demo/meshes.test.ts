import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as basic from '../../examples/meshes/basic/traffic.ts';
import * as frontAndSidecar from '../../examples/meshes/front-and-sidecar/traffic.ts';
import * as headlessGrpc from '../../examples/meshes/headless-grpc/traffic.ts';
import { MeshLedger } from '../../examples/meshes/ledger.ts';
import * as passthrough from '../../examples/meshes/passthrough/traffic.ts';
import { seededRandom } from '../../examples/meshes/random.ts';
import { sendPlan } from '../../examples/meshes/sender.ts';
import { loadMesh, type Mesh, meshesFolder } from '../../server/demo/mesh-folder.ts';
import { startTestMesh, type TestMesh } from '../e2e/mesh.ts';
import { readEnvoyStats } from '../e2e/mesh-stats.ts';

const timeout = 120_000; // the first start on a machine installs Envoy

async function allMeshes(): Promise<Mesh[]> {
  const entries = await readdir(meshesFolder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(names.map((name) => loadMesh({ name, portOffset: 0 })));
}

test('all meshes can run side by side: no two things listen on one port', async () => {
  const ports = (await allMeshes()).flatMap((mesh) => mesh.ports.map(({ port }) => port));
  expect(ports.toSorted((a, b) => a - b)).toEqual([...new Set(ports)].toSorted((a, b) => a - b));
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(18_000);
  expect(Math.max(...ports)).toBeLessThan(18_900); // offsets reach up to the ports that Linux gives to clients
});

test('every mesh is explained: its README names every Envoy and port', async () => {
  for (const { folder, envoys, ports } of await allMeshes()) {
    const readme = await readFile(join(folder, 'README.md'), 'utf8');
    for (const { instance } of envoys) expect(readme).toContain(instance);
    for (const { port } of ports) expect(readme).toContain(String(port));
  }
});

/** `inbound` is the stat prefix of the Envoys that see what comes in. */
const meshes = [
  { name: 'front-and-sidecar', traffic: frontAndSidecar, inbound: 'ingress_http' },
  { name: 'basic', traffic: basic, inbound: 'ingress_http' },
  { name: 'headless-grpc', traffic: headlessGrpc, inbound: 'ingress' },
  { name: 'passthrough', traffic: passthrough, inbound: 'ingress_http' },
];

describe.for(meshes)('$name', ({ name, traffic, inbound }) => {
  const { kinds, entries, ledgerOptions } = traffic;
  let mesh: TestMesh;

  afterEach(() => mesh?.stop());

  async function completedInbound(): Promise<[instance: string, completed: number][]> {
    const { envoys } = await loadMesh({ name, portOffset: 0 });
    return Promise.all(
      envoys.map(async ({ instance }, index): Promise<[string, number]> => {
        const stats = await readEnvoyStats(mesh.targets[index]?.address ?? '');
        return [instance, stats.value(`http.${inbound}.downstream_rq_completed`)];
      }),
    );
  }

  test('requests of every kind are answered, and Envoy counts what the ledger says', { timeout }, async () => {
    mesh = await startTestMesh(name);
    const ledger = new MeshLedger(ledgerOptions);
    const random = seededRandom(1);
    const plan = kinds.flatMap((kind) => Array.from({ length: 3 }, () => kind.plan(random)));
    await sendPlan(plan, { entries, portOffset: mesh.portOffset, concurrency: 3, ledger });
    expect([ledger.answered, ledger.unanswered]).toEqual([plan.length, []]);
    const completed = await completedInbound();
    expect(completed).toEqual(completed.map(([instance]) => [instance, ledger.inbound(instance).requests]));
  });

  test('the steady traffic flows until it is stopped', { timeout }, async () => {
    mesh = await startTestMesh(name);
    const total = async () => (await completedInbound()).reduce((sum, [, completed]) => sum + completed, 0);
    const running = await mesh.startTraffic();
    await vi.waitFor(async () => expect(await total()).toBeGreaterThan(10), { timeout: 10_000, interval: 100 });
    await running.stop();
    const after = await total();
    expect(await readFile(join(mesh.runFolder, 'traffic.log'), 'utf8')).toBe('');
    expect([await total(), mesh.messages]).toEqual([after, []]);
  });
});
