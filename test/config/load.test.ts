import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Config } from '../../server/config/config.ts';
import type { ConfigFlags } from '../../server/config/flags.ts';
import { type Loaded, loadConfig, parseConfig } from '../../server/config/load.ts';
import { BAD_FILES } from './bad-files.ts';
import { GOOD_FILES } from './good-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'sidelight-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function configOf(loaded: Loaded): Config {
  expect(loaded).toHaveProperty('config');
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  return loaded.config;
}

test.for(BAD_FILES)('$name is told', ({ yaml, errors }) => {
  expect(parseConfig(yaml, 'conf.yaml')).toEqual({ errors: errors.map((error) => `conf.yaml:${error}`) });
});

test.for(GOOD_FILES)('$name is understood', ({ yaml, config }) => {
  expect(configOf(parseConfig(yaml, 'conf.yaml'))).toMatchObject(config);
});

test('no file means all defaults, the same as an empty one', () => {
  const defaults: Config = {
    scrape: {
      intervalMs: 15_000,
      timeoutMs: 10_000,
      bodyLimitBytes: 33_554_432,
      seriesLimit: 20_000,
      concurrency: 256,
      zonesEvery: 4,
      slowDown: true,
      allowLinkLocal: false,
      clustersEvery: 5,
    },
    discovery: { static: [], file: [], http: [], dns: [], kubernetes: [], relabel: [], targetsLimit: 20_000 },
    peers: [],
    local: [],
    storage: {
      path: 'data/sidelight.db',
      retentionMs: { raw: 7_200_000, '1m': 172_800_000, '10m': 2_592_000_000, '1h': 34_560_000_000 },
      maxSizeBytes: 10_737_418_240,
    },
    exporter: {
      level: 'instance',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      keep: [],
      drop: [],
      seriesLimit: 2_000_000,
    },
    alerts: { defaults: true, intervalMs: 10_000, rules: [], alertmanagers: [], webhooks: [] },
    remoteWrite: [],
    otlp: { endpoint: '', traces: true, headers: {}, headerFiles: {} },
    web: {
      host: '127.0.0.1',
      port: 9191,
      externalUrl: '',
      traceUrl: '',
      allowedHosts: [],
      headers: {},
      limits: { connections: 2000, requestsPerClient: 32, streamsPerClient: 100 },
    },
    log: { level: 'info', format: 'text' },
  };
  const namedFiles = new Map();
  expect(loadConfig(undefined)).toEqual({ config: defaults, namedFiles });
  expect(parseConfig('', 'conf.yaml')).toEqual({ config: defaults, namedFiles });
});

test('what only a restart can change is an error for a collector that runs', () => {
  const running = configOf(parseConfig('web: { listen: ":1" }', 'conf.yaml'));
  const changed = parseConfig(
    'web: { listen: ":2" }\nlog:\n  format: json\n',
    'conf.yaml',
    { storagePath: 'b.db' },
    running,
  );
  expect(changed).toEqual({
    errors: [
      'conf.yaml:1: web.listen: cannot change from :1 to :2 while Sidelight runs; restart it, or take the change back',
      'conf.yaml:3: log.format: cannot change from text to json while Sidelight runs; restart it, or take the change back',
      '--storage.path=b.db: cannot change from data/sidelight.db to b.db while Sidelight runs; restart it, or take the change back',
    ],
  });
});

test('a configuration is frozen', () => {
  const config = configOf(parseConfig('discovery: { static: [{ targets: ["a:1"], labels: { b: c } }] }', 'conf.yaml'));
  const parts = [
    config,
    config.scrape,
    config.discovery.static,
    config.discovery.static[0]?.labels,
    config.exporter.buckets,
  ];
  expect(parts.map((part) => Object.isFrozen(part))).toEqual(parts.map(() => true));
});

test('flags beat the file, and their targets come after its own', () => {
  const yaml = 'scrape: { interval: 30s }\ndiscovery: { static: [{ targets: ["a:1"] }] }\nweb: { listen: "x" }\n';
  const flags: ConfigFlags = {
    targets: ['http://127.0.0.1:9901,service=a,region=eu', 'unix:/b,role=gateway,zone='],
    listenAddress: ':0',
    storagePath: '/var/lib/sidelight.db',
    scrapeInterval: '5s',
    logLevel: 'debug',
    logFormat: 'json',
  };
  expect(configOf(parseConfig(yaml, 'conf.yaml', flags))).toMatchObject({
    scrape: { intervalMs: 5000, timeoutMs: 5000 },
    discovery: {
      static: [
        { targets: ['a:1'], labels: {} },
        { targets: ['127.0.0.1:9901'], labels: { service: 'a', region: 'eu' } },
        { targets: ['unix:/b'], labels: { role: 'gateway' } },
      ],
    },
    storage: { path: '/var/lib/sidelight.db' },
    web: { host: '', port: 0 },
    log: { level: 'debug', format: 'json' },
  });
});

const FILE = 'scrape: { timeout: 10s }\ndiscovery:\n  static:\n    - targets:\n        - a:1\n';

test.for<[flags: ConfigFlags, errors: string[]]>([
  [{ targets: ['a'] }, ['--target=a: "a" has no port; write a:9901']],
  [
    { targets: [''] },
    ['--target=: an empty target; write 10.0.0.5:9901, [::1]:9901, https://host:9901 or unix:/run/envoy.sock'],
  ],
  [{ targets: ['b:1,service'] }, ['--target=b:1,service: "service" is not a label; write name=value']],
  [{ targets: ['b:1,=x'] }, ['--target=b:1,=x: "=x" is not a label; write name=value']],
  [{ targets: ['b:1,x=1,x=2'] }, ['--target=b:1,x=1,x=2: the label x stands twice; remove one']],
  [{ targets: ['b:1,9x=1'] }, ['--target=b:1,9x=1: not a label name; use letters, digits and _, and no digit first']],
  [{ targets: ['http://A:1'] }, ['--target=http://A:1: a:1 is listed twice, here and in conf.yaml:5; remove one']],
  [{ targets: ['b:1', 'b:1,x=y'] }, ['--target=b:1,x=y: b:1 is listed twice, here and in --target=b:1; remove one']],
  [
    { listenAddress: '9191' },
    ['--web.listen-address=9191: 9191 has no colon; write 127.0.0.1:9191, or :9191 for all interfaces'],
  ],
  [{ storagePath: '' }, ['--storage.path=: "" is not a file\'s path; write data/sidelight.db']],
  [{ scrapeInterval: '5' }, ['--scrape.interval=5: "5" is not a duration; write 500ms, 15s, 1m30s, 2d or 1w']],
  [
    { scrapeInterval: '5s' },
    ['conf.yaml:1: scrape.timeout: 10s is longer than the interval, 5s (in --scrape.interval=5s); write at most that'],
  ],
  [
    { logLevel: 'loud', logFormat: 'xml' },
    [
      '--log.level=loud: "loud" is not one of trace, debug, info, warn, error',
      '--log.format=xml: "xml" is not one of text, json',
    ],
  ],
])('flags %j', ([flags, errors]) => {
  expect(parseConfig(FILE, 'conf.yaml', flags)).toEqual({ errors });
});

test('errors of the file come first, in its order', () => {
  const yaml = 'web: { listen: 1 }\nscrape: { interval: 1 }\ndiscovery: 5\n';
  expect(parseConfig(yaml, 'conf.yaml', { logLevel: 'x', targets: ['a'] })).toEqual({
    errors: [
      'conf.yaml:1: web.listen: 1 has no colon; write 127.0.0.1:1, or :1 for all interfaces',
      'conf.yaml:2: scrape.interval: 1 has no unit; write 1s for seconds, or 1m',
      'conf.yaml:3: discovery: expected a map of keys (static, file, http, dns, kubernetes, relabel, targets_limit), found the number 5',
      '--log.level=x: "x" is not one of trace, debug, info, warn, error',
    ],
  });
});

test('at most twenty lines of syntax errors', () => {
  const loaded = parseConfig(`a:\n${'\tb: 1\n'.repeat(30)}`, 'conf.yaml');
  const errors = 'errors' in loaded ? loaded.errors : [];
  expect(errors).toHaveLength(21);
  expect(errors.at(-1)).toBe('conf.yaml: and 10 more lines that are not valid YAML');
});

const written = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

test('a file is read, with a byte order mark or without', () => {
  expect(configOf(loadConfig(written('good.yaml', '\uFEFFscrape: { interval: 1s }\n'))).scrape.intervalMs).toBe(1000);
});

test.for<[name: string, path: () => string, error: string]>([
  ['missing', () => join(folder, 'none.yaml'), ': no such file; check the path'],
  ['below a file', () => join(written('file.yaml', ''), 'a.yaml'), ': no such file; check the path'],
  ['a folder', () => folder, ': is a folder; give the path of a YAML file'],
  [
    'too large',
    () => written('large.yaml', '#'.repeat(4 * 1024 * 1024 + 1)),
    ': larger than 4MiB; a configuration is at most that',
  ],
  ['endless', () => '/dev/zero', ': larger than 4MiB; a configuration is at most that'],
  [
    'not UTF-8',
    () => written('latin.yaml', Buffer.from('a: 1\nb: caf\xe9\n', 'latin1')),
    ':2: not UTF-8 text; save the file as UTF-8',
  ],
  [
    'UTF-16',
    () => written('utf16.yaml', Buffer.from('\uFEFFa: 1\n', 'utf16le')),
    ':1: not UTF-8 text; save the file as UTF-8',
  ],
])('a file that is %s', ([, path, error]) => {
  const file = path();
  expect(loadConfig(file)).toEqual({ errors: [file + error] });
});

test('an empty path', () => {
  const error = 'the path of the configuration file is empty; write --config.file=sidelight.yaml';
  expect(loadConfig('')).toEqual({ errors: [error] });
});

test('where files are named', () => {
  const yaml =
    'scrape:\n  tls: { ca_file: ca.crt }\nalerts:\n  webhooks:\n    - url: http://a\n      secret_file: /keys/hook\n';
  const loaded = parseConfig(yaml, '/etc/sidelight.yaml');
  expect([...(('config' in loaded && loaded.namedFiles) || [])]).toEqual([
    ['/etc/ca.crt', '/etc/sidelight.yaml:2: scrape.tls.ca_file'],
    ['/keys/hook', '/etc/sidelight.yaml:6: alerts.webhooks[0].secret_file'],
  ]);
});
