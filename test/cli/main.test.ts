import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { fixture as tlsFile } from '../web-server/tls-fixtures.ts';
import { runSidelight, Sidelight } from './sidelight.ts';

const VERSION = '0.1.0';
const STACK = /^ {4}at /;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sidelight-cli-'));
  writeFileSync(
    join(folder, 'good.yaml'),
    'scrape: { interval: 5s }\ndiscovery: { static: [{ targets: ["a:1", "b:1"] }] }\n',
  );
  writeFileSync(
    join(folder, 'one.yaml'),
    'discovery: { static: [{ targets: ["a:1"] }] }\nweb: { listen: "[::1]:80" }\n',
  );
  writeFileSync(join(folder, 'bad.yaml'), 'scrape: { intervl: 5s }\nweb: { listen: "a:99999" }\n');
  writeFileSync(join(folder, 'tls.yaml'), 'web:\n  tls: { cert_file: none.crt, key_file: none.key }\n');
  writeFileSync(
    join(folder, 'token.yaml'),
    'web: { auth: { bearer_tokens: [{ name: ci, token_file: none.token }] } }\n',
  );
  copyFileSync(tlsFile('server.crt'), join(folder, 'server.crt'));
  writeFileSync(join(folder, 'web.yml'), 'tls_server_config:\n  cert_file: server.crt\n  key_file: none.key\n');
  writeFileSync(join(folder, 'other.yaml'), 'web: { config_file: web.yml }\n');
  writeFileSync(join(folder, 'tab.yaml'), 'scrape:\n\tinterval: 5s\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const SERVE_ANYWHERE = ['--web.listen-address=127.0.0.1:0', '--storage.path=served.db'];

test.for<[args: string[], out: string[]]>([
  [['version'], [`sidelight ${VERSION} (Node.js ${process.version})`]],
  [['--version'], [`sidelight ${VERSION} (Node.js ${process.version})`]],
  [
    ['check-config', 'good.yaml'],
    ['good.yaml is valid: 2 static targets, interval 5s, database data/sidelight.db, dashboard on 127.0.0.1:9191'],
  ],
  [
    ['check-config', 'one.yaml'],
    ['one.yaml is valid: 1 static target, interval 15s, database data/sidelight.db, dashboard on [::1]:80'],
  ],
])('%j answers', async ([args, out]) => {
  expect(await runSidelight(args, folder)).toEqual({ code: 0, out, err: [] });
});

const BAD_YAML = [
  'bad.yaml:1: scrape.intervl: unknown key; did you mean `interval`?',
  'bad.yaml:2: web.listen: port 99999 is out of range; a port is 0 to 65535',
];

const NO_CERTIFICATE =
  'tls.yaml:2: web.tls.cert_file: FOLDER/none.crt cannot be read (ENOENT): check the path and its permissions';

test.for<[args: string[], err: string[]]>([
  [['check-config', 'bad.yaml'], BAD_YAML],
  [['check-config', 'tab.yaml'], ['tab.yaml:2:1: not valid YAML: a tab indents this line; indent with spaces']],
  [['check-config', 'tls.yaml'], [NO_CERTIFICATE]],
  [
    ['check-config', 'token.yaml'],
    [
      'token.yaml:1: web.auth.bearer_tokens[0].token_file: FOLDER/none.token cannot be read (ENOENT): check the path and its permissions',
    ],
  ],
  [
    ['check-config', 'other.yaml'],
    [
      'FOLDER/web.yml:3: tls_server_config.key_file: FOLDER/none.key cannot be read (ENOENT): check the path and its permissions',
    ],
  ],
  [['serve', '--config.file=tls.yaml'], [NO_CERTIFICATE]],
  [['check-config', 'none.yaml'], ['none.yaml: no such file; check the path']],
  [['check-config', '.'], ['.: is a folder; give the path of a YAML file']],
  [['check-config'], ["error: missing required argument 'file'"]],
  [
    ['--config.file=bad.yaml', '--log.level=x'],
    [...BAD_YAML, '--log.level=x: "x" is not one of trace, debug, info, warn, error'],
  ],
  [['serve', '--config.file=none.yaml'], ['none.yaml: no such file; check the path']],
  [['--target=a:1', '--target', 'A:1'], ['--target=A:1: a:1 is listed twice, here and in --target=a:1; remove one']],
  [['--target'], ["error: option '--target <address>' argument missing"]],
  [['--web.listen-addres=:1'], ["error: unknown option '--web.listen-addres=:1' (Did you mean --web.listen-address?)"]],
  [['--frobnicate'], ["error: unknown option '--frobnicate'; --help lists those that there are"]],
  [
    ['--target=127.0.0.1:9901', 'check-config'],
    ['error: the command stands before its flags: sidelight check-config …'],
  ],
  [['chek-config', 'a'], ['error: unknown command "chek-config"; did you mean check-config?']],
  [
    ['frobnicate'],
    [
      'error: unknown command "frobnicate"; commands are serve, check-config, demo, stat, targets, explain, rules, db, version',
    ],
  ],
  [['rules', '--config.file=none.yaml'], ['none.yaml: no such file; check the path']],
  [['stat', '--window=5'], ['--window=5: not a duration; write 30s, 1m or 2h']],
  [
    ['stat', '--output=xml'],
    ["error: option '--output <format>' argument 'xml' is invalid. Allowed choices are table, json."],
  ],
  [
    ['demo', '--web.listen-address=1'],
    ['--web.listen-address=1: 1 has no colon; write 127.0.0.1:1, or :1 for all interfaces'],
  ],
])('%j fails', async ([args, err]) => {
  const told = err.map((line) => line.replaceAll('FOLDER', folder));
  expect(await runSidelight(args, folder)).toEqual({ code: 1, out: [], err: told });
});

test('help names the commands and the flags of serve', async () => {
  const program = await runSidelight(['--help'], folder);
  expect(program.out.join('\n')).toMatch(/serve[\s\S]*check-config[\s\S]*demo[\s\S]*stat[\s\S]*version/);
  const serve = await runSidelight(['serve', '--help'], folder);
  const flags = [
    'config.file',
    'target',
    'web.listen-address',
    'storage.path',
    'scrape.interval',
    'log.level',
    'log.format',
  ];
  for (const flag of flags) expect(serve.out.join('\n')).toContain(`  --${flag} <`);
  expect([program.code, serve.code]).toEqual([0, 0]);
});

test('stat where nothing listens', async () => {
  const url = `http://127.0.0.1:${await closedPort()}`;
  const err = [`${url} does not answer: connection refused; is Sidelight running there? see --url`];
  expect(await runSidelight(['stat', `--url=${url}`], folder)).toEqual({ code: 1, out: [], err });
});

test.for(['SIGTERM', 'SIGINT'] as const)('serves until %s', async (signal) => {
  const sidelight = new Sidelight(SERVE_ANYWHERE, folder);
  await vi.waitFor(() => expect(sidelight.err).toContain('no targets yet'), { timeout: 15_000 });
  const signalled = performance.now();
  sidelight.kill(signal);
  const { code, out, err } = await sidelight.ended;
  expect(performance.now() - signalled).toBeLessThan(5000);
  expect({ code, out }).toEqual({ code: 0, out: [] });
  expect(err.map((line) => line.replace(/^\S+ /, '').replace(/:\d+$/, ':PORT'))).toEqual([
    `INFO  Sidelight ${VERSION} listening on http://127.0.0.1:PORT`,
    'WARN  no targets yet; add them with --target=127.0.0.1:9901, or under discovery in the file of --config.file',
    'INFO  stopping',
  ]);
});

test('a taken port', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const listen = `127.0.0.1:${portOf(blocker)}`;
  const ended = await runSidelight([`--web.listen-address=${listen}`, '--storage.path=taken.db'], folder);
  blocker.close();
  expect(ended).toEqual({
    code: 1,
    out: [],
    err: [
      `cannot listen on ${listen}: another program listens there; stop it, or choose another address with --web.listen-address`,
    ],
  });
});

test('a database that cannot be opened is one line', async () => {
  const { code, out, err } = await runSidelight(
    ['--web.listen-address=127.0.0.1:0', '--storage.path=good.yaml'],
    folder,
  );
  expect({ code, out, lines: err.length }).toEqual({ code: 1, out: [], lines: 1 });
  expect(err[0]).toContain('good.yaml');
  expect(err[0]).not.toMatch(STACK);
});

function portOf(server: ReturnType<typeof createServer>): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

test('SIGHUP reads the file again, which the log tells', async () => {
  const file = join(folder, 'reloaded.yaml');
  const listing = (address: string) => `discovery: { static: [{ targets: ["${address}"] }] }\n`;
  writeFileSync(file, listing('127.0.0.1:1'));
  const sidelight = new Sidelight([...SERVE_ANYWHERE, `--config.file=${file}`], folder);
  const told = (text: string) => vi.waitFor(() => expect(sidelight.err).toContain(text), { timeout: 15_000 });
  await told('listening on ');
  const url = /listening on (\S+)/.exec(sidelight.err)?.[1];
  writeFileSync(file, listing('127.0.0.1:2'));
  sidelight.kill('SIGHUP');
  await told('INFO  the configuration was reloaded');
  const { targets } = await (await fetch(`${url}/api/v1/targets`)).json();
  expect(targets).toMatchObject([{ labels: { address: '127.0.0.1:2' } }]);
  writeFileSync(file, 'discovry: {}\n');
  sidelight.kill('SIGHUP');
  await told('ERROR the configuration was not reloaded: ');
  expect(sidelight.err).toContain('reloaded.yaml:1: discovry: unknown key; did you mean `discovery`?');
  sidelight.kill('SIGTERM');
  expect((await sidelight.ended).code).toBe(0);
});
