import type { BadFile } from '../bad-files.ts';

const url = 'http://mimir:9009/api/v1/push';

export const REMOTE_WRITE: readonly BadFile[] = [
  {
    name: 'a receiver without an address',
    yaml: 'remote_write: [{ name: a }]\n',
    errors: ['1: remote_write[0].url: missing; write http://127.0.0.1:9093'],
  },
  {
    name: 'two receivers of one name',
    yaml: `remote_write:\n  - { url: "${url}" }\n  - url: "${url}?token=x"\n`,
    errors: ['3: remote_write[1].name: remote_write[0] goes by the name mimir:9009 too; give one of them another name'],
  },
  {
    name: 'a name that is no name',
    yaml: `remote_write: [{ url: "${url}", name: "../a" }]\n`,
    errors: ['1: remote_write[0].name: "../a" is not a name; use letters, digits, and _ - . : only, at most 100'],
  },
  {
    name: 'headers that can not be sent',
    yaml: `remote_write:
  - { url: "${url}", name: a, headers: { Content-Encoding: gzip } }
  - { url: "${url}", name: b, headers: { "a b": c } }
  - { url: "${url}", name: c, headers: { X-Scope-OrgID: 1 } }
  - { url: "${url}", name: d, headers: { X-Scope-OrgID: "ü" } }
  - { url: "${url}", name: e, headers: [] }
`,
    errors: [
      '2: remote_write[0].headers: Content-Encoding is a header that remote write sets itself; remove it',
      '3: remote_write[1].headers: "a b" is not the name of a header',
      '4: remote_write[2].headers: X-Scope-OrgID: expected text, found the number 1; write it in quotes',
      '5: remote_write[3].headers: X-Scope-OrgID: only printable ASCII characters are possible',
      '6: remote_write[4].headers: expected a map of headers such as X-Scope-OrgID: shop, found a list',
    ],
  },
  {
    name: 'limits of a queue',
    yaml: `remote_write: [{ url: "${url}", queue: { max_size: 1MiB, max_shards: 0, size: 1 }, interval: 10ms }]\n`,
    errors: [
      '1: remote_write[0].interval: 10ms is too little; write 1s or more',
      '1: remote_write[0].queue.max_size: 1MiB is too little; write 16MiB or more',
      '1: remote_write[0].queue.max_shards: 0 is out of range; write a whole number from 1 to 64',
      '1: remote_write[0].queue.size: unknown key; known here: max_size, max_samples_per_send, max_shards',
    ],
  },
];
