import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChildProcess, startChild } from './child-process.ts';
import { DemoError, firstLine } from './demo-error.ts';
import { type EnvoyProcess, startEnvoyProcess } from './envoy-process.ts';
import { loadMesh, type Mesh, writeConfiguration } from './mesh-folder.ts';
import { checkPortsFree } from './ports.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

/**
 * A mesh is a folder examples/meshes/NAME with
 * - one bootstrap per Envoy: every YAML file with an `admin` key; the instance is its `node.id`. Envoys run in a
 *   copy of the folder, so other YAML files (file-based xDS, say) are named by paths relative to the folder;
 * - services.ts, which exports MeshServices: the applications behind the sidecars;
 * - traffic.ts, which exports MeshTraffic: what sends requests through the mesh.
 * All ports are fixed. The runner can shift them all (`portOffset`), so that two copies don't meet.
 * Applications and traffic run in processes of their own that end with the process that started them.
 */
export interface MeshServices {
  apps: readonly MeshApp[];
  startServices(options: { portOffset: number }): Promise<Running>;
}

export interface MeshApp {
  instance: string;
  /** Without offset. */
  port: number;
}

export interface MeshTraffic {
  /** Where requests enter the mesh, without offset. */
  frontPort: number;
  /**
   * Sends the steady traffic of the demo until it is stopped. In `runFolder` lie the files that the Envoys read: what
   * they watch there may be changed.
   */
  startTraffic(options: { portOffset: number; runFolder: string }): Promise<Running>;
}

export interface Running {
  stop(): Promise<void>;
}

export interface MeshOptions {
  name: string;
  /** Path of an Envoy binary. */
  envoy: string;
  /** Added to every port. Default 0. */
  portOffset?: number;
  /** Takes the configuration as run and the logs of every process; made where it is missing. */
  runFolder: string;
  /** Told when a process of the mesh ends that nobody stopped. */
  log: (line: string) => void;
}

export interface RunningMesh extends Running {
  /** The admin endpoints of all Envoys, in the order of their files' names. */
  targets: { address: string; labels?: Record<string, string> }[];
  /** Where requests enter, without a slash at the end. */
  frontUrl: string;
  /** Ends the Envoy of one instance (`node.id`) and resolves when its process is gone. */
  stopEnvoy(instance: string): Promise<void>;
  /** Starts it again and resolves when /ready says LIVE. */
  startEnvoy(instance: string): Promise<void>;
  /** Both. All its figures begin at 0 again. */
  restartEnvoy(instance: string): Promise<void>;
  /** Starts the mesh's steady traffic in a process of its own; `stop()` of the mesh ends it too. */
  startTraffic(): Promise<Running>;
  /** Of every process that runs now. */
  processIds(): number[];
}

/**
 * Starts applications and Envoys and resolves when every Envoy is live. Rejects with a DemoError of one line, with
 * nothing left running. All processes end with the calling process too, however that ends.
 */
export async function startMesh(options: MeshOptions): Promise<RunningMesh> {
  const { name, runFolder, portOffset = 0 } = options;
  const mesh = await loadMesh({ name, portOffset });
  await checkPortsFree(mesh.ports);
  await prepareRunFolder(mesh, runFolder);
  const runner = new MeshRunner(mesh, options);
  try {
    await runner.start();
  } catch (error) {
    await runner.stop();
    throw error;
  }
  return runner;
}

async function prepareRunFolder(mesh: Mesh, runFolder: string): Promise<void> {
  try {
    await mkdir(runFolder, { recursive: true });
    await writeConfiguration(mesh, runFolder);
  } catch (error) {
    throw new DemoError(`cannot write the mesh's files to ${runFolder} (${firstLine(error)})`);
  }
}

class MeshRunner implements RunningMesh {
  readonly targets: RunningMesh['targets'];
  readonly frontUrl: string;
  readonly #mesh: Mesh;
  readonly #options: MeshOptions;
  readonly #watchdog: Watchdog = startWatchdog();
  readonly #envoys = new Map<string, EnvoyProcess>();
  readonly #children = new Set<ChildProcess>();

  constructor(mesh: Mesh, options: MeshOptions) {
    this.#mesh = mesh;
    this.#options = options;
    this.targets = mesh.envoys.map(({ admin }) => ({ address: `${admin.host}:${admin.port}` }));
    this.frontUrl = `http://127.0.0.1:${mesh.frontPort}`;
  }

  async start(): Promise<void> {
    const envoys = this.#mesh.envoys.map(({ instance }) => this.startEnvoy(instance));
    await Promise.all([this.#startChild('services'), ...envoys]);
  }

  async startEnvoy(instance: string): Promise<void> {
    const bootstrap = this.#mesh.envoys.find((envoy) => envoy.instance === instance);
    if (bootstrap === undefined) throw new DemoError(`mesh ${this.#mesh.name} has no Envoy ${instance}`);
    if (this.#envoys.has(instance)) throw new DemoError(`the Envoy of ${instance} runs already`);
    const { envoy: binary, runFolder, log } = this.#options;
    const envoy = startEnvoyProcess({ binary, bootstrap, folder: runFolder, watchdog: this.#watchdog });
    this.#envoys.set(instance, envoy);
    const exited = envoy.exited.finally(() => this.#envoys.delete(instance));
    await envoy.ready;
    void exited.then((wasAsked) => {
      if (!wasAsked) log(`the Envoy of ${instance} ended by itself, its log is ${envoy.logPath}`);
    });
  }

  async stopEnvoy(instance: string): Promise<void> {
    const envoy = this.#envoys.get(instance);
    if (envoy === undefined) throw new DemoError(`no Envoy of ${instance} runs`);
    await envoy.stop();
    await envoy.exited;
  }

  async restartEnvoy(instance: string): Promise<void> {
    await this.stopEnvoy(instance);
    await this.startEnvoy(instance);
  }

  startTraffic(): Promise<Running> {
    return this.#startChild('traffic');
  }

  async #startChild(part: 'services' | 'traffic'): Promise<ChildProcess> {
    const { portOffset = 0, runFolder, log } = this.#options;
    const child = startChild({
      module: join(this.#mesh.folder, `${part}.ts`),
      start: part === 'services' ? 'startServices' : 'startTraffic',
      options: { portOffset, runFolder },
      logPath: join(runFolder, `${part}.log`),
    });
    this.#children.add(child);
    const exited = child.exited.finally(() => this.#children.delete(child));
    await child.ready;
    void exited.then((wasAsked) => {
      if (!wasAsked) log(`the process of ${part}.ts ended by itself, its log is ${child.logPath}`);
    });
    return child;
  }

  processIds(): number[] {
    const processes = [...this.#envoys.values(), ...this.#children, this.#watchdog];
    return processes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children, ...this.#envoys.values()].map((running) => running.stop()));
    await this.#watchdog.stop();
  }
}
