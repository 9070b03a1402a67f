import type { BadFile } from '../bad-files.ts';

const KNOWN_AT_TOP = 'scrape, discovery, peers, local, storage, exporter, alerts, remote_write, otlp, web, log';

/** Seven lists, each of ten times the one before. */
const BOMB = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...['b', 'c', 'd', 'e', 'f', 'g'].map((name, index) => {
    const inner = `*${'abcdef'.charAt(index)}`;
    return `${name}: &${name} [${Array(10).fill(inner).join(', ')}]`;
  }),
].join('\n');

export const STRUCTURE: readonly BadFile[] = [
  {
    name: 'a bomb of aliases',
    yaml: BOMB,
    errors: ['4: aliases stand for too many values; write some of them out'],
  },
  {
    name: 'text',
    yaml: 'hello\n',
    errors: [
      '1: expected a map of keys (scrape, discovery, peers, local, storage, exporter, alerts, remote_write, otlp, web, log), found the text "hello"',
    ],
  },
  {
    name: 'a list',
    yaml: '- a\n',
    errors: [
      '1: expected a map of keys (scrape, discovery, peers, local, storage, exporter, alerts, remote_write, otlp, web, log), found a list',
    ],
  },
  {
    name: 'a misspelt key',
    yaml: 'scrape:\n  intervl: 5s\n',
    errors: ['2: scrape.intervl: unknown key; did you mean `interval`?'],
  },
  { name: 'a misspelt section', yaml: 'scarpe: {}\n', errors: ['1: scarpe: unknown key; did you mean `scrape`?'] },
  {
    name: 'a misspelt key of a list item',
    yaml: 'discovery:\n  static:\n    - targts: []\n',
    errors: [
      '3: discovery.static[0].targets: missing; write a list',
      '3: discovery.static[0].targts: unknown key; did you mean `targets`?',
    ],
  },
  {
    name: 'a misspelt key of a later version',
    yaml: 'discovery: { kubernets: [] }\n',
    errors: ['1: discovery.kubernets: unknown key; did you mean `kubernetes`?'],
  },
  {
    name: 'a key on the wrong level',
    yaml: 'max_size: 1GiB\n',
    errors: ['1: max_size: unknown key; did you mean `storage.max_size`?'],
  },
  {
    name: 'a key that lists of another section have',
    yaml: 'web: { port: 9191 }\n',
    errors: [
      '1: web.port: unknown key; known here: listen, external_url, trace_url, config_file, auth, tls, allowed_hosts, headers, limits',
    ],
  },
  {
    name: 'a key of a list item on the wrong level',
    yaml: 'discovery: { targets: ["a:1"] }\n',
    errors: ['1: discovery.targets: unknown key; did you mean `discovery.static[].targets`?'],
  },
  { name: 'an unknown key', yaml: 'global: {}\n', errors: [`1: global: unknown key; known here: ${KNOWN_AT_TOP}`] },
  {
    name: 'a key with odd characters',
    yaml: 'log:\n  "a b": 1\n',
    errors: ['2: log."a b": unknown key; known here: level, format'],
  },
  {
    name: 'several unknown keys',
    yaml: 'foo: 1\nscrape: { bar: 2 }\nbaz: 3\n',
    errors: [
      `1: foo: unknown key; known here: ${KNOWN_AT_TOP}`,
      '2: scrape.bar: unknown key; known here: interval, timeout, body_limit, series_limit, concurrency, zones_every, slow_down, tls, auth, allow_link_local, clusters_every',
      `3: baz: unknown key; known here: ${KNOWN_AT_TOP}`,
    ],
  },
  {
    name: 'a section that is no map',
    yaml: 'scrape: 5s\n',
    errors: [
      '1: scrape: expected a map of keys (interval, timeout, body_limit, series_limit, concurrency, zones_every, slow_down, tls, auth, allow_link_local, clusters_every), found the text "5s"',
    ],
  },
  {
    name: 'a list that is none',
    yaml: 'discovery:\n  static: "127.0.0.1:9901"\n',
    errors: ['2: discovery.static: expected a list, found the text "127.0.0.1:9901"'],
  },
  {
    name: 'an empty list item',
    yaml: 'discovery:\n  static:\n    -\n',
    errors: [
      '3: discovery.static[0]: expected a map of keys (targets, labels, relabel_configs, tls, auth), found nothing',
    ],
  },
];
