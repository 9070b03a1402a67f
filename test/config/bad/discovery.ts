import type { BadFile } from '../bad-files.ts';

export const DISCOVERY: readonly BadFile[] = [
  {
    name: 'a port out of range',
    yaml: 'discovery:\n  static:\n    - targets:\n        - host:1\n        - host:99999\n',
    errors: ['5: discovery.static[0].targets[1]: port 99999 is out of range; a port is 1 to 65535'],
  },
  {
    name: 'a number as a target',
    yaml: 'discovery: { static: [{ targets: [9901] }] }\n',
    errors: [
      '1: discovery.static[0].targets[0]: expected text, found the number 9901; write "10.0.0.5:9901", in quotes where it is all digits',
    ],
  },
  {
    name: 'no target',
    yaml: 'discovery: { static: [{ targets: [~] }] }\n',
    errors: ['1: discovery.static[0].targets[0]: expected text, found nothing; write "10.0.0.5:9901"'],
  },
  {
    name: 'a target twice in a list',
    yaml: 'discovery:\n  static:\n    - targets:\n        - host:1\n        - http://HOST:1\n',
    errors: ['5: discovery.static[0].targets[1]: host:1 is listed twice, here and on line 4; remove one'],
  },
  {
    name: 'a target twice over groups',
    yaml: 'discovery:\n  static:\n    - targets: ["[::1]:9901", "unix:/a"]\n    - targets: ["[0::1]:9901"]\n      labels: { service: b }\n    - targets: ["unix:///a"]\n',
    errors: [
      '4: discovery.static[1].targets[0]: [::1]:9901 is listed twice, here and on line 3; remove one',
      '6: discovery.static[2].targets[0]: unix:/a is listed twice, here and on line 3; remove one',
    ],
  },
  {
    name: 'a label name',
    yaml: 'discovery:\n  static:\n    - targets: []\n      labels:\n        9x: a\n        a-b: c\n',
    errors: [
      '5: discovery.static[0].labels.9x: not a label name; use letters, digits and _, and no digit first',
      '6: discovery.static[0].labels.a-b: not a label name; use letters, digits and _, and no digit first',
    ],
  },
  {
    name: 'a reserved label name',
    yaml: 'discovery: { static: [{ targets: [], labels: { __address__: a } }] }\n',
    errors: [
      '1: discovery.static[0].labels.__address__: label names that begin with __ are reserved; choose another name',
    ],
  },
  {
    name: 'a long label value',
    yaml: `discovery: { static: [{ targets: [], labels: { a: ${'x'.repeat(1025)} } }] }\n`,
    errors: ['1: discovery.static[0].labels.a: the value has 1025 characters; at most 1024 are allowed'],
  },
  {
    name: 'a list as a label value',
    yaml: 'discovery: { static: [{ targets: [], labels: { a: [b] } }] }\n',
    errors: ['1: discovery.static[0].labels.a: expected text, found a list'],
  },
  {
    name: 'a role',
    yaml: 'discovery: { static: [{ targets: [], labels: { role: edge } }] }\n',
    errors: ['1: discovery.static[0].labels.role: "edge" is not one of sidecar, gateway'],
  },
  {
    name: 'labels that are text',
    yaml: 'discovery: { static: [{ targets: [], labels: a=b }] }\n',
    errors: ['1: discovery.static[0].labels: expected a map of labels such as service: checkout, found the text "a=b"'],
  },
];
