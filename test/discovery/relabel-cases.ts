/** Rules of Prometheus's relabel_configs, labels before and after; `null` is a target that is dropped. */

import type { Labels } from '../../server/model/labels.ts';

export interface RelabelCase {
  readonly name: string;
  /** As in a YAML file. */
  readonly rules: readonly object[];
  readonly before: Labels;
  readonly after: Labels | null;
}

const ABC = { a: 'foo', b: 'bar', c: 'baz' };

export const RELABEL_CASES: readonly RelabelCase[] = [
  {
    name: 'replace takes the first group',
    rules: [{ source_labels: ['a'], target_label: 'd', regex: 'f(.*)', replacement: 'ch$1-ch$1' }],
    before: ABC,
    after: { ...ABC, d: 'choo-choo' },
  },
  {
    name: 'replace with braces',
    rules: [{ source_labels: ['a', 'b'], target_label: 'a', regex: 'f(.*);(.*)r', replacement: `b\${1}\${2}m` }],
    before: ABC,
    after: { ...ABC, a: 'boobam' },
  },
  {
    name: 'a group’s number ends where its name does',
    rules: [{ source_labels: ['a'], target_label: 'd', regex: '(f)(.*)', replacement: 'x$1y' }],
    before: ABC,
    after: { ...ABC, d: 'x' },
  },
  {
    name: 'two dollar signs are one',
    rules: [{ source_labels: ['a'], target_label: 'd', regex: '(.*)', replacement: '$$1' }],
    before: ABC,
    after: { ...ABC, d: '$1' },
  },
  {
    name: 'a lone dollar sign stays',
    rules: [{ source_labels: ['a'], target_label: 'd', replacement: 'a$' }],
    before: ABC,
    after: { ...ABC, d: 'a$' },
  },
  {
    name: 'a named group',
    rules: [{ source_labels: ['a'], target_label: 'd', regex: '(?P<first>.).*', replacement: `\${first}!` }],
    before: ABC,
    after: { ...ABC, d: 'f!' },
  },
  {
    name: 'a group that is not there is empty',
    rules: [{ source_labels: ['a'], target_label: 'd', regex: 'f.*', replacement: 'x$7' }],
    before: ABC,
    after: { ...ABC, d: 'x' },
  },
  {
    name: 'a group that took no part is empty',
    rules: [{ source_labels: ['a'], target_label: 'd', regex: '(x)?foo', replacement: '<$1>' }],
    before: ABC,
    after: { ...ABC, d: '<>' },
  },
  {
    name: 'the pattern has to match the whole',
    rules: [{ source_labels: ['a'], target_label: 'd', regex: 'fo', replacement: 'x' }],
    before: ABC,
    after: ABC,
  },
  {
    name: 'alternatives are anchored together',
    rules: [{ source_labels: ['a'], target_label: 'd', regex: 'x|fo', replacement: 'x' }],
    before: ABC,
    after: ABC,
  },
  {
    name: 'nothing matched leaves all',
    rules: [{ source_labels: ['a'], target_label: 'd', regex: '.*nothing.*', replacement: 'x' }],
    before: ABC,
    after: ABC,
  },
  {
    name: 'the default pattern and replacement copy',
    rules: [{ source_labels: ['a'], target_label: 'd' }],
    before: ABC,
    after: { ...ABC, d: 'foo' },
  },
  {
    name: 'several labels are joined by ;',
    rules: [{ source_labels: ['a', 'b', 'c'], target_label: 'd' }],
    before: ABC,
    after: { ...ABC, d: 'foo;bar;baz' },
  },
  {
    name: 'a separator of one’s own',
    rules: [{ source_labels: ['a', 'b'], separator: '||', target_label: 'd' }],
    before: ABC,
    after: { ...ABC, d: 'foo||bar' },
  },
  {
    name: 'an empty separator',
    rules: [{ source_labels: ['a', 'b'], separator: '', target_label: 'd' }],
    before: ABC,
    after: { ...ABC, d: 'foobar' },
  },
  {
    name: 'labels that are not there are empty',
    rules: [{ source_labels: ['x', 'a'], target_label: 'd' }],
    before: ABC,
    after: { ...ABC, d: ';foo' },
  },
  {
    name: 'an empty result removes the label',
    rules: [{ source_labels: ['x'], target_label: 'a' }],
    before: ABC,
    after: { b: 'bar', c: 'baz' },
  },
  {
    name: 'an empty replacement removes the label',
    rules: [{ source_labels: ['a'], target_label: 'a', regex: 'f(.*)', replacement: '' }],
    before: ABC,
    after: { b: 'bar', c: 'baz' },
  },
  {
    name: 'no source labels, a fixed replacement',
    rules: [{ target_label: 'd', replacement: 'fixed' }],
    before: ABC,
    after: { ...ABC, d: 'fixed' },
  },
  {
    name: 'a target label from the value',
    rules: [{ source_labels: ['a'], target_label: `l_\${1}`, regex: '(.*)', replacement: 'x' }],
    before: ABC,
    after: { ...ABC, l_foo: 'x' },
  },
  {
    name: 'a target label that would be none',
    rules: [{ source_labels: ['a'], target_label: `\${1}`, regex: '(.*)', replacement: 'x' }],
    before: { a: '1-2' },
    after: { a: '1-2' },
  },
  {
    name: 'one rule after the other',
    rules: [
      { source_labels: ['a'], target_label: 'b', regex: 'f(.*)', replacement: '$1' },
      { source_labels: ['b'], target_label: 'c', regex: 'o(.)', replacement: '$1!' },
    ],
    before: ABC,
    after: { a: 'foo', b: 'oo', c: 'o!' },
  },
  {
    name: 'lazy and nested groups',
    rules: [{ source_labels: ['a'], target_label: 'd', regex: '((a+?)(b*))+c', replacement: '$1,$2,$3' }],
    before: { a: 'aababbc' },
    after: { a: 'aababbc', d: 'abb,a,bb' },
  },
  {
    name: 'capital letters by flag',
    rules: [{ source_labels: ['a'], target_label: 'd', regex: '(?i)FOO', replacement: 'x' }],
    before: ABC,
    after: { ...ABC, d: 'x' },
  },
  {
    name: 'classes of characters',
    rules: [{ source_labels: ['a'], target_label: 'd', regex: '[[:alpha:]]+(\\d+)\\pL', replacement: '$1' }],
    before: { a: 'ab12é' },
    after: { a: 'ab12é', d: '12' },
  },
  {
    name: 'an action in capitals',
    rules: [{ action: 'Replace', source_labels: ['a'], target_label: 'd' }],
    before: ABC,
    after: { ...ABC, d: 'foo' },
  },
  {
    name: 'keep that matches',
    rules: [{ action: 'keep', source_labels: ['a'], regex: 'f.*' }],
    before: ABC,
    after: ABC,
  },
  {
    name: 'keep that does not',
    rules: [{ action: 'keep', source_labels: ['a'], regex: 'o.*' }],
    before: ABC,
    after: null,
  },
  {
    name: 'keep of several',
    rules: [{ action: 'keep', source_labels: ['a', 'b'], regex: 'foo;bar' }],
    before: ABC,
    after: ABC,
  },
  {
    name: 'drop that matches',
    rules: [{ action: 'drop', source_labels: ['a'], regex: 'foo|bar' }],
    before: ABC,
    after: null,
  },
  {
    name: 'drop that does not',
    rules: [{ action: 'drop', source_labels: ['a'], regex: 'fo|bar' }],
    before: ABC,
    after: ABC,
  },
  {
    name: 'drop of an absent label',
    rules: [{ action: 'drop', source_labels: ['x'], regex: '' }],
    before: ABC,
    after: null,
  },
  {
    name: 'keep before replace',
    rules: [
      { action: 'keep', source_labels: ['a'], regex: 'x' },
      { target_label: 'd', replacement: 'x' },
    ],
    before: ABC,
    after: null,
  },
  {
    name: 'keepequal of equal ones',
    rules: [{ action: 'keepequal', source_labels: ['a'], target_label: 'b' }],
    before: { a: 'x', b: 'x' },
    after: { a: 'x', b: 'x' },
  },
  {
    name: 'keepequal of others',
    rules: [{ action: 'keepequal', source_labels: ['a'], target_label: 'b' }],
    before: ABC,
    after: null,
  },
  {
    name: 'dropequal of equal ones',
    rules: [{ action: 'dropequal', source_labels: ['a'], target_label: 'b' }],
    before: { a: 'x', b: 'x' },
    after: null,
  },
  {
    name: 'dropequal of others',
    rules: [{ action: 'dropequal', source_labels: ['a'], target_label: 'b' }],
    before: ABC,
    after: ABC,
  },
  {
    name: 'hashmod',
    rules: [{ action: 'hashmod', source_labels: ['c'], target_label: 'd', modulus: 1000 }],
    before: ABC,
    after: { ...ABC, d: '976' },
  },
  {
    name: 'hashmod of several',
    rules: [{ action: 'hashmod', source_labels: ['a', 'b'], separator: ':', target_label: 'd', modulus: 7 }],
    before: ABC,
    after: { ...ABC, d: '0' },
  },
  {
    name: 'hashmod of what is not there',
    rules: [{ action: 'hashmod', source_labels: ['x'], target_label: 'd', modulus: 1000 }],
    before: { a: 'é' },
    after: { a: 'é', d: '958' },
  },
  {
    name: 'labelmap',
    rules: [{ action: 'labelmap', regex: '(b.*)', replacement: `bar_\${1}` }],
    before: { a: 'foo', b1: 'bar', b2: 'baz' },
    after: { a: 'foo', b1: 'bar', b2: 'baz', bar_b1: 'bar', bar_b2: 'baz' },
  },
  {
    name: 'labelmap takes the group by default',
    rules: [{ action: 'labelmap', regex: 'my_(.+)' }],
    before: { a: 'foo', my_bar: 'aaa', my_baz: 'bbb', your_x: 'y' },
    after: { a: 'foo', bar: 'aaa', baz: 'bbb', my_bar: 'aaa', my_baz: 'bbb', your_x: 'y' },
  },
  {
    name: 'labelmap over hidden labels',
    rules: [{ action: 'labelmap', regex: '__meta_pod_label_(.+)' }],
    before: { __meta_pod_label_app: 'shop' },
    after: { app: 'shop' },
  },
  {
    name: 'labeldrop',
    rules: [{ action: 'labeldrop', regex: '(b.*)' }],
    before: { a: 'foo', b1: 'bar', b2: 'baz' },
    after: { a: 'foo' },
  },
  {
    name: 'labelkeep',
    rules: [{ action: 'labelkeep', regex: '(__.*|b.*)' }],
    before: { a: 'foo', b1: 'bar', b2: 'baz' },
    after: { b1: 'bar', b2: 'baz' },
  },
  {
    name: 'lowercase',
    rules: [{ action: 'lowercase', source_labels: ['a'], target_label: 'd' }],
    before: { a: 'FoO Bär' },
    after: { a: 'FoO Bär', d: 'foo bär' },
  },
  {
    name: 'uppercase',
    rules: [{ action: 'uppercase', source_labels: ['a', 'b'], target_label: 'a' }],
    before: ABC,
    after: { ...ABC, a: 'FOO;BAR' },
  },
  {
    name: 'hidden labels are gone in the end',
    rules: [
      { source_labels: ['a'], target_label: '__tmp' },
      { source_labels: ['__tmp'], target_label: 'd' },
    ],
    before: { a: 'x', __meta_b: 'c' },
    after: { a: 'x', d: 'x' },
  },
  {
    name: 'the address is a label',
    rules: [{ source_labels: ['__address__'], target_label: 'd', regex: '([^:]+):\\d+' }],
    before: { a: 'x' },
    after: { a: 'x', d: '127.0.0.1' },
  },
  {
    name: 'labels named as properties of objects',
    rules: [{ source_labels: ['constructor', 'toString'], target_label: 'd' }],
    before: { a: 'x' },
    after: { a: 'x', d: ';' },
  },
];
