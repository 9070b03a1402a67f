import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START_TIMEOUT_MS = 60_000;

export interface TestCollector {
  readonly url: string;
  readonly pid: number;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Ends it as a service manager would; resolves with its exit code. */
  terminate(): Promise<number | null>;
  /** What it wrote to its log. */
  readonly log: string[];
}

export interface TestCollectorOptions {
  readonly targets: readonly string[];
  readonly storagePath: string;
  readonly intervalSeconds: number;
  /** Default: any free port. */
  readonly port?: number;
  readonly configFile?: string;
  /** Module that each of its threads loads first. */
  readonly preload?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the collector as `npm start` would, in a process of its own; resolves when it serves. */
export async function startTestCollector({
  targets,
  storagePath,
  intervalSeconds,
  port = 0,
  configFile,
  preload,
  environment,
}: TestCollectorOptions): Promise<TestCollector> {
  const flags = [
    ...(configFile === undefined ? [] : [`--config.file=${configFile}`]),
    ...targets.map((target) => `--target=${target}`),
    `--storage.path=${storagePath}`,
    `--scrape.interval=${intervalSeconds}s`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const preloads = preload === undefined ? [] : [`--import=${preload}`];
  const started = startScript();
  const child = spawn(process.execPath, [...started.nodeFlags, ...preloads, 'server/main.ts', 'serve', ...flags], {
    cwd: ROOT,
    env: { ...process.env, ...started.environment, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log: string[] = [];
  const url = await servedUrl(child, log).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  const exited = once(child, 'exit');
  return {
    url,
    pid: child.pid ?? 0,
    log,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async terminate() {
      child.kill('SIGTERM');
      const [code] = await exited;
      return code;
    },
  };
}

/** What `npm start` sets before it starts Node, and what it gives to Node. */
function startScript(): { readonly environment: Readonly<Record<string, string>>; readonly nodeFlags: string[] } {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } };
  const words = (scripts.start.split(' server/main.ts')[0] ?? '').split(' ');
  return {
    environment: Object.fromEntries(words.flatMap((word) => (/^[A-Z_]+=/.test(word) ? [word.split('=', 2)] : []))),
    nodeFlags: words.filter((word) => word.startsWith('--')),
  };
}

function servedUrl(child: ChildProcess, log: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new Error(`the collector ${reason}:\n${log.join('\n')}`));
    const timer = setTimeout(() => fail(`did not serve within ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
    child.once('exit', (code) => fail(`ended with code ${code}`));
    if (!child.stderr) return fail('has no log');
    createInterface({ input: child.stderr }).on('line', (line) => {
      log.push(line);
      const url = /listening on (http:\/\/\S+)/.exec(line)?.[1];
      if (!url) return;
      clearTimeout(timer);
      child.removeAllListeners('exit');
      resolve(url);
    });
  });
}

/** The JSON answer of an address of the API; throws with the answer when it is an error. */
export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
