import type { BadFile } from '../bad-files.ts';

const rule = (text: string) => `discovery: { relabel: [{ ${text} }] }\n`;
const at = (key: string) => `1: discovery.relabel[0]${key}: `;

export const RELABEL: readonly BadFile[] = [
  {
    name: 'an unknown action',
    yaml: rule('action: kep'),
    errors: [
      `${at('.action')}"kep" is not one of replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase`,
    ],
  },
  {
    name: 'a pattern that is not RE2',
    yaml: 'discovery:\n  relabel:\n    - action: drop\n      source_labels: [a]\n      regex: "a(?=b)"\n',
    errors: [
      '5: discovery.relabel[0].regex: "a(?=b)" is not an RE2 pattern: invalid or unsupported Perl syntax: `(?=`',
    ],
  },
  {
    name: 'replace without a target',
    yaml: rule('source_labels: [a]'),
    errors: [`${at('')}replace needs target_label; write the label that it concerns`],
  },
  {
    name: 'a target that is no label',
    yaml: rule('target_label: "a-b"'),
    errors: [`${at('.target_label')}"a-b" is not a label name; use letters, digits and _`],
  },
  {
    name: 'a source that is no label',
    yaml: rule('action: keep, source_labels: ["a b"]'),
    errors: [`${at('.source_labels[0]')}"a b" is not a label name; use letters, digits and _`],
  },
  {
    name: 'hashmod without modulus',
    yaml: rule('action: hashmod, source_labels: [a], target_label: b'),
    errors: [`${at('')}hashmod needs modulus; write how many shares there are`],
  },
  {
    name: 'hashmod by nothing',
    yaml: rule('action: hashmod, target_label: b, modulus: 0'),
    errors: [`${at('.modulus')}0 is out of range; write a whole number from 1 to 9007199254740991`],
  },
  {
    name: 'a replacement where there is none',
    yaml: rule('action: lowercase, source_labels: [a], target_label: b, replacement: x'),
    errors: [
      `${at('.replacement')}lowercase takes only source_labels and separator and target_label and regex and modulus; remove replacement`,
    ],
  },
  {
    name: 'more than a pattern for labeldrop',
    yaml: rule('action: labeldrop, regex: a, source_labels: [b]'),
    errors: [`${at('.source_labels')}labeldrop takes only regex; remove source_labels`],
  },
  {
    name: 'a pattern for keepequal',
    yaml: rule('action: keepequal, source_labels: [a], target_label: b, regex: c'),
    errors: [`${at('.regex')}keepequal takes only source_labels and target_label; remove regex`],
  },
  {
    name: 'labelmap to no label',
    yaml: rule('action: labelmap, regex: "a(.*)", replacement: "b-$1"'),
    errors: [`${at('.replacement')}"b-$1" is not a label name; write such as "$1"`],
  },
  {
    name: 'a misspelt key of a rule',
    yaml: rule('source_label: [a], target_label: b'),
    errors: [`${at('.source_label')}unknown key; did you mean \`source_labels\`?`],
  },
  {
    name: 'a rule of an entry',
    yaml: 'discovery:\n  file:\n    - files: [a.json]\n      relabel_configs:\n        - action: nothing\n',
    errors: [
      '5: discovery.file[0].relabel_configs[0].action: "nothing" is not one of replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase',
    ],
  },
];
