import type { BadFile } from '../bad-files.ts';

export const SYNTAX: readonly BadFile[] = [
  {
    name: 'a tab',
    yaml: 'scrape:\n\tinterval: 5s\n',
    errors: ['2:1: not valid YAML: a tab indents this line; indent with spaces'],
  },
  {
    name: 'an open quote',
    yaml: 'web:\n  listen: "127.0.0.1:9191\nlog: {}\n',
    errors: ['2:11: not valid YAML: the quote that begins here is not closed'],
  },
  {
    name: 'an open list',
    yaml: 'local: ["a", "b"\nlog: {}\n',
    errors: ['2:1: not valid YAML: a [ is not closed with ]'],
  },
  {
    name: 'an open map',
    yaml: 'scrape: { interval: 5s\nlog: {}\n',
    errors: ['2:1: not valid YAML: a { is not closed with }'],
  },
  {
    name: 'indentation',
    yaml: 'scrape:\n    interval: 5s\n  timeout: 3s\n',
    errors: ['3:1: not valid YAML: this line is not indented like the others of its map or list'],
  },
  {
    name: 'two keys on a line',
    yaml: 'scrape: interval: 5s\n',
    errors: [
      '1:9: not valid YAML: a second "key:" on one line; put it on a line of its own, or the whole text in quotes',
    ],
  },
  {
    name: 'no space after a colon',
    yaml: 'scrape:\n  interval:5s\n  timeout: 3s\n',
    errors: ['2:3: not valid YAML: this line is no "key: value"; a key needs a colon and a space after it'],
  },
  {
    name: 'a reserved character',
    yaml: 'local: [@app]\n',
    errors: ['1:9: not valid YAML: plain value cannot start with reserved character @; put the text in quotes'],
  },
  {
    name: 'a bad escape',
    yaml: 'local: ["\\d+"]\n',
    errors: [
      '1:10: not valid YAML: invalid escape sequence \\d; write \\\\ for a backslash, or put the text in single quotes',
    ],
  },
  {
    name: 'a second document',
    yaml: 'log: {}\n---\nweb: {}\n',
    errors: ['2:1: not valid YAML: a second document begins here; keep one, without --- between'],
  },
  {
    name: 'a tag',
    yaml: 'log: !logging {}\n',
    errors: ['1:6: not valid YAML: unresolved tag: !logging; leave the tag out'],
  },
  {
    name: 'several lines',
    yaml: 'web:\n\tlisten: ":1"\nlog:\n\tlevel: info\n',
    errors: [
      '2:1: not valid YAML: a tab indents this line; indent with spaces',
      '4:1: not valid YAML: a tab indents this line; indent with spaces',
    ],
  },
  {
    name: 'an unknown alias',
    yaml: 'scrape: *defaults\n',
    errors: ['1: scrape: the alias *defaults has no anchor &defaults above it'],
  },
  {
    name: 'a list as a key',
    yaml: 'scrape:\n  [a]: 5s\n',
    errors: ['2: scrape: a key is a list, a map or an alias; write plain text'],
  },
  {
    name: 'a key twice',
    yaml: 'scrape:\n  interval: 5s\n  timeout: 1s\n  interval: 6s\n',
    errors: ['4: scrape.interval: the key stands twice, here and on line 2; remove one'],
  },
  {
    name: 'a section twice',
    yaml: 'log: {}\nweb: {}\nlog: {}\n',
    errors: ['3: log: the key stands twice, here and on line 1; remove one'],
  },
  {
    name: 'a merge of text',
    yaml: 'scrape:\n  <<: abc\n',
    errors: ['2: scrape: << merges maps; give it the alias of one'],
  },
  {
    name: 'deep lists',
    yaml: `local: ${'['.repeat(40)}${']'.repeat(40)}\n`,
    errors: ['1: nested too deeply; a configuration needs no more than 32 levels'],
  },
  {
    name: 'very deep lists',
    yaml: `local: ${'['.repeat(20_000)}`,
    errors: ['1: nested too deeply; a configuration needs no more than 32 levels'],
  },
  {
    name: 'an alias of itself',
    yaml: 'local: &a [*a]\n',
    errors: ['1: nested too deeply; a configuration needs no more than 32 levels'],
  },
];
