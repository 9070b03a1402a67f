import type { BadFile } from '../bad-files.ts';

const one = (mechanism: string, text: string) => `discovery: { ${mechanism}: [{ ${text} }] }\n`;

export const MECHANISMS: readonly BadFile[] = [
  {
    name: 'a file of another kind',
    yaml: one('file', 'files: [a.txt]'),
    errors: ['1: discovery.file[0].files[0]: "a.txt" does not end in .json, .yml or .yaml'],
  },
  {
    name: 'a star in a folder',
    yaml: one('file', 'files: ["*/a.json"]'),
    errors: ['1: discovery.file[0].files[0]: "*/a.json" has a * before its last part, or two; write one'],
  },
  { name: 'no files', yaml: one('file', ''), errors: ['1: discovery.file[0].files: missing; write a list'] },
  {
    name: 'no web address',
    yaml: one('http', 'url: "sd:80"'),
    errors: ['1: discovery.http[0].url: "sd:80" is not a web address; write http://sd.example.com/targets'],
  },
  {
    name: 'a password in a web address',
    yaml: one('http', 'url: "http://a:b@sd/"'),
    errors: ['1: discovery.http[0].url: a name or a password in the address; write them under source_auth'],
  },
  {
    name: 'A records without a port',
    yaml: one('dns', 'names: [a]'),
    errors: ['1: discovery.dns[0]: A records tell no port; write port: 9901'],
  },
  {
    name: 'an address as a name',
    yaml: one('dns', 'names: ["10.0.0.1", "a:1"], type: SRV'),
    errors: [
      '1: discovery.dns[0].names[0]: "10.0.0.1" is not a name; write such as checkout.default.svc',
      '1: discovery.dns[0].names[1]: "a:1" is not a name; write such as checkout.default.svc',
    ],
  },
  {
    name: 'a name as a name server',
    yaml: one('dns', 'names: [a], type: SRV, servers: [ns]'),
    errors: ['1: discovery.dns[0].servers[0]: "ns" is not an IP address; write such as 10.0.0.53 or 10.0.0.53:53'],
  },
  {
    name: 'another type of record',
    yaml: one('dns', 'names: [a], type: MX'),
    errors: ['1: discovery.dns[0].type: "MX" is not one of A, AAAA, SRV'],
  },
  {
    name: 'too many targets allowed',
    yaml: 'discovery: { targets_limit: 0 }\n',
    errors: ['1: discovery.targets_limit: 0 is out of range; write a whole number from 1 to 1000000'],
  },
  {
    name: 'a certificate without its key',
    yaml: 'scrape: { tls: { cert_file: a.crt } }\n',
    errors: ['1: scrape.tls: cert_file without key_file; give both or none'],
  },
  {
    name: 'two kinds of authorisation',
    yaml: 'scrape: { auth: { bearer_token: a, username: b } }\n',
    errors: ['1: scrape.auth: a bearer token and a name or a password; give one kind only'],
  },
  {
    name: 'two passwords',
    yaml: 'scrape: { auth: { username: a, password: b, password_file: c } }\n',
    errors: ['1: scrape.auth: password and password_file; give one of them'],
  },
  {
    name: 'a password alone',
    yaml: one('static', 'targets: [], auth: { password: b }'),
    errors: ['1: discovery.static[0].auth: a password without username; give both'],
  },
  {
    name: 'a token of two lines',
    yaml: 'scrape: { auth: { bearer_token: "a\\nb" } }\n',
    errors: ['1: scrape.auth.bearer_token: only printable ASCII characters are possible'],
  },
];
