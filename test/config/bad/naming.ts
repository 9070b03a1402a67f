import type { BadFile } from '../bad-files.ts';

export const NAMING: readonly BadFile[] = [
  {
    name: 'a pattern',
    yaml: 'local:\n  - "^my_app$"\n  - "("\n',
    errors: ['3: local[1]: "(" is not an RE2 pattern: missing closing ): `(`'],
  },
  {
    name: 'a pattern that RE2 lacks',
    yaml: "local: ['a(?=b)']\n",
    errors: ['1: local[0]: "a(?=b)" is not an RE2 pattern: invalid or unsupported Perl syntax: `(?=`'],
  },
  {
    name: 'an empty pattern',
    yaml: 'local: [""]\n',
    errors: ['1: local[0]: an empty pattern matches no cluster; write one such as "^my_app$"'],
  },
  {
    name: 'a peer without a service',
    yaml: 'peers:\n  - match: a\n',
    errors: ['2: peers[0].service: missing; write the service\'s name, such as "$1"'],
  },
  {
    name: 'an empty service',
    yaml: 'peers: [{ match: a, service: "" }]\n',
    errors: ["1: peers[0].service: a service's name has 1 to 1024 characters"],
  },
  {
    name: 'a group too many',
    yaml: "peers: [{ match: '(a)(b)', service: $3 }]\n",
    errors: ['1: peers[0].service: $3 refers to a group that match does not have; it has 2 groups'],
  },
  {
    name: 'a group of none',
    yaml: 'peers: [{ match: a, service: "$2" }]\n',
    errors: ['1: peers[0].service: $2 refers to a group that match does not have; it has no groups'],
  },
  {
    name: 'an unknown name of a group',
    yaml: 'peers: [{ match: "(?P<name>a)", service: "$nam" }]\n',
    errors: ['1: peers[0].service: $nam refers to a group that match does not have; it has one group'],
  },
  {
    name: 'letters after a group',
    yaml: 'peers: [{ match: "(a)", service: "$1_v" }]\n',
    errors: ['1: peers[0].service: $1_v names the group "1_v"; write $' + '{1}_v'],
  },
  {
    name: 'a dollar sign',
    yaml: 'peers: [{ match: "(a)", service: "a$" }]\n',
    errors: ["1: peers[0].service: a $ without a group's number; write $1, or $$ for the character $"],
  },
];
