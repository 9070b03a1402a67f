import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEnvoy } from '../../server/demo/envoy.ts';
import { type RunningMesh, startMesh } from '../../server/demo/mesh.ts';
import { loadMesh } from '../../server/demo/mesh-folder.ts';
import { findFreePortOffset } from '../../server/demo/ports.ts';

export interface TestMesh extends RunningMesh {
  portOffset: number;
  /** Configuration as run, and logs; removed by `stop()`. */
  runFolder: string;
  /** What the runner told, besides starting and stopping as asked. */
  messages: string[];
}

/**
 * Starts an example mesh on ports of its own, so that neither a demo nor another test meets it. ENVOY_VERSION chooses
 * one of the versions that are tested; without it the demo's Envoy runs.
 */
export async function startTestMesh(name = 'three-services'): Promise<TestMesh> {
  const messages: string[] = [];
  const log = (line: string) => void messages.push(line);
  const version = process.env.ENVOY_VERSION;
  const envoy = await findEnvoy({ log: console.log, ...(version ? { version } : {}) });
  const { ports } = await loadMesh({ name, portOffset: 0 });
  const portOffset = await findFreePortOffset(ports);
  const runFolder = await mkdtemp(join(tmpdir(), 'sidelight-mesh-'));
  const mesh = await startMesh({ name, envoy, portOffset, runFolder, log }).catch(async (error: unknown) => {
    await rm(runFolder, { recursive: true });
    throw error;
  });
  const stop = async () => {
    await mesh.stop();
    await rm(runFolder, { recursive: true });
  };
  const { targets, frontUrl } = mesh;
  return {
    targets,
    frontUrl,
    portOffset,
    runFolder,
    messages,
    stop,
    startEnvoy: (instance) => mesh.startEnvoy(instance),
    stopEnvoy: (instance) => mesh.stopEnvoy(instance),
    restartEnvoy: (instance) => mesh.restartEnvoy(instance),
    startTraffic: () => mesh.startTraffic(),
    processIds: () => mesh.processIds(),
  };
}
