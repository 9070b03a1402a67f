import { z } from 'zod';
import type { RelabelRule } from './config.ts';
import { choiceField, countField, field, type Parsed, textField } from './fields.ts';
import { compilePattern } from './mesh-fields.ts';
import { described, shown } from './problem.ts';

const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;

export type RelabelAction = (typeof RELABEL_ACTIONS)[number];

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** A label name in which `$1`, `${1}` and `${name}` may stand for groups. */
const LABEL_TEMPLATE = /^(?:[a-zA-Z_]|\$\{?\w+\}?)(?:\w|\$\{?\w+\}?)*$/;

const written = z.strictObject({
  action: actionField()
    .prefault('replace')
    .describe(`What the rule does: ${RELABEL_ACTIONS.join(', ')}.`),
  source_labels: z.array(labelField()).optional().describe('Labels whose values, joined, the rule looks at.'),
  separator: anyText(';').optional().describe('What joins their values; `;` by default.'),
  target_label: anyText('service').optional().describe('Label that gets the result.'),
  regex: regexField().optional().describe('RE2 pattern for the whole of the value; `(.*)` by default.'),
  modulus: countField({ min: 1, max: Number.MAX_SAFE_INTEGER }).optional().describe('For hashmod.'),
  replacement: anyText('"$1"').optional().describe('What replace and labelmap make of it; `$1` by default.'),
});

type Written = z.output<typeof written>;

/** One rule, with the field names, defaults and checks of Prometheus's `relabel_configs`. */
export function relabelField() {
  return written.transform((rule, context): RelabelRule => {
    const problem = problemOf(rule);
    if (problem !== undefined) {
      context.issues.push({ code: 'custom', path: problem.path, message: problem.message, input: rule });
    }
    return {
      action: rule.action,
      sourceLabels: rule.source_labels ?? [],
      separator: rule.separator ?? ';',
      targetLabel: rule.target_label ?? '',
      regex: rule.regex ?? '(.*)',
      modulus: rule.modulus ?? 0,
      replacement: rule.replacement ?? '$1',
    };
  });
}

/** Keys that actions can do with; a key that is not there is wrong for them, as in Prometheus. */
const TAKES: Readonly<Record<RelabelAction, readonly (keyof Written)[]>> = {
  replace: ['source_labels', 'separator', 'target_label', 'regex', 'replacement', 'modulus'],
  keep: ['source_labels', 'separator', 'target_label', 'regex', 'replacement', 'modulus'],
  drop: ['source_labels', 'separator', 'target_label', 'regex', 'replacement', 'modulus'],
  hashmod: ['source_labels', 'separator', 'target_label', 'regex', 'replacement', 'modulus'],
  labelmap: ['source_labels', 'separator', 'target_label', 'regex', 'replacement', 'modulus'],
  lowercase: ['source_labels', 'separator', 'target_label', 'regex', 'modulus'],
  uppercase: ['source_labels', 'separator', 'target_label', 'regex', 'modulus'],
  keepequal: ['source_labels', 'target_label'],
  dropequal: ['source_labels', 'target_label'],
  labeldrop: ['regex'],
  labelkeep: ['regex'],
};
const NEEDS_TARGET: readonly RelabelAction[] = [
  'replace',
  'hashmod',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
];
/** What a key may hold and still count as not given. */
const DEFAULTS: Readonly<Partial<Record<keyof Written, string>>> = { separator: ';', regex: '(.*)', replacement: '$1' };

function problemOf(rule: Written): { path: string[]; message: string } | undefined {
  const { action, target_label: target = '', replacement = '$1' } = rule;
  if (action === 'hashmod' && rule.modulus === undefined)
    return { path: [], message: 'hashmod needs modulus; write how many shares there are' };
  if (NEEDS_TARGET.includes(action) && target === '')
    return { path: [], message: `${action} needs target_label; write the label that it concerns` };
  const takes = TAKES[action];
  for (const key of Object.keys(rule) as (keyof Written)[]) {
    if (key === 'action' || takes.includes(key) || rule[key] === undefined || rule[key] === DEFAULTS[key]) continue;
    return { path: [key], message: `${action} takes only ${takes.join(' and ')}; remove ${key}` };
  }
  const template = action === 'replace' && target.includes('$');
  if (NEEDS_TARGET.includes(action) && !(template ? LABEL_TEMPLATE : LABEL).test(target))
    return { path: ['target_label'], message: `${shown(target)} is not a label name; use letters, digits and _` };
  if (action === 'labelmap' && !LABEL_TEMPLATE.test(replacement))
    return { path: ['replacement'], message: `${shown(replacement)} is not a label name; write such as "$1"` };
  return undefined;
}

/** As in Prometheus, capital letters do. */
function actionField() {
  return z
    .unknown()
    .transform((action) => (typeof action === 'string' ? action.toLowerCase() : action))
    .pipe(choiceField(...RELABEL_ACTIONS));
}

function labelField() {
  return textField('"__address__"', (text): Parsed<string> => {
    return LABEL.test(text)
      ? { value: text }
      : { error: `${shown(text)} is not a label name; use letters, digits and _` };
  });
}

/** Text as YAML gives it; numbers too, since `replacement: 1` is common in Prometheus's files. */
function anyText(example: string) {
  return field((value): Parsed<string> => {
    if (typeof value === 'string') return { value };
    if (typeof value === 'number' || typeof value === 'boolean') return { value: String(value) };
    return { error: `expected text, found ${described(value)}; write ${example}` };
  });
}

function regexField() {
  return anyText('a pattern').transform((text, context) => {
    const compiled = compilePattern(text);
    if ('error' in compiled) context.issues.push({ code: 'custom', message: compiled.error, input: text });
    return text;
  });
}
