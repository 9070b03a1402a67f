/** Relabelling as Prometheus does it: relabel_configs over a target's labels. */

import { hash } from 'node:crypto';
import type { RelabelRule } from '../config/config.ts';
import type { Labels } from '../model/labels.ts';
import { LabelEdits } from './label-edits.ts';
import { compileRegex, expand, type WholeRegex } from './relabel-regex.ts';

/** Labels after all rules, or the place in the list of the rule that dropped the target. */
export type Relabelled = { readonly labels: Labels } | { readonly droppedBy: number };

export type Relabel = (labels: Labels) => Relabelled;

/** Whether the target is kept. */
type Step = (edits: LabelEdits) => boolean;

/** @throws when a pattern is not RE2; the configuration has been checked before. */
export function compileRelabel(rules: readonly RelabelRule[]): Relabel {
  const steps = rules.map(stepOf);
  return (labels) => {
    const edits = new LabelEdits(labels);
    for (let index = 0; index < steps.length; index++) {
      if (!steps[index]?.(edits)) return { droppedBy: index };
    }
    return { labels: edits.result() };
  };
}

/** A rule in words, for the reason that a target was dropped. */
export function ruleInWords({ action, sourceLabels, targetLabel, regex }: RelabelRule): string {
  const parts = [
    `action: ${action}`,
    ...(sourceLabels.length > 0 ? [`source_labels: [${sourceLabels.join(', ')}]`] : []),
    ...(action.endsWith('equal') ? [`target_label: ${targetLabel}`] : [`regex: ${regex}`]),
  ];
  return parts.join(', ');
}

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

function stepOf(rule: RelabelRule): Step {
  const { separator, targetLabel, modulus } = rule;
  const regex = compileRegex(rule.regex);
  const [only] = rule.sourceLabels;
  const value =
    only !== undefined && rule.sourceLabels.length === 1
      ? (edits: LabelEdits) => edits.get(only)
      : (edits: LabelEdits) => rule.sourceLabels.map((name) => edits.get(name)).join(separator);
  const set = (make: (value: string) => string): Step => {
    return (edits) => edits.set(targetLabel, make(value(edits)));
  };
  switch (rule.action) {
    case 'keep':
      return (edits) => regex.test(value(edits));
    case 'drop':
      return (edits) => !regex.test(value(edits));
    case 'keepequal':
      return (edits) => edits.get(targetLabel) === value(edits);
    case 'dropequal':
      return (edits) => edits.get(targetLabel) !== value(edits);
    case 'replace':
      return replaceStep(rule, regex, value);
    case 'lowercase':
      return set((text) => text.toLowerCase());
    case 'uppercase':
      return set((text) => text.toUpperCase());
    case 'hashmod':
      return set((text) => hashModulo(text, modulus));
    case 'labelmap':
      return labelMapStep(rule, regex);
    case 'labeldrop':
      return removing((name) => regex.test(name));
    case 'labelkeep':
      return removing((name) => !regex.test(name));
  }
}

function replaceStep(rule: RelabelRule, regex: WholeRegex, value: (edits: LabelEdits) => string): Step {
  const { targetLabel, replacement } = rule;
  const fixedTarget = !targetLabel.includes('$');
  return (edits) => {
    const groups = regex.match(value(edits));
    if (groups === undefined) return true;
    const target = fixedTarget ? targetLabel : expand(targetLabel, groups, regex.names);
    if (!fixedTarget && !LABEL_NAME.test(target)) return true;
    return edits.set(target, expand(replacement, groups, regex.names));
  };
}

function labelMapStep({ replacement }: RelabelRule, regex: WholeRegex): Step {
  return (edits) => {
    for (const [name, value] of edits.entries()) {
      const groups = regex.match(name);
      const mapped = groups && expand(replacement, groups, regex.names);
      if (mapped !== undefined && LABEL_NAME.test(mapped)) edits.set(mapped, value);
    }
    return true;
  };
}

function removing(isRemoved: (name: string) => boolean): Step {
  return (edits) => {
    for (const [name] of edits.entries()) if (isRemoved(name)) edits.set(name, '');
    return true;
  };
}

/** The last 8 bytes of the MD5 of the value, as a big-endian number, modulo `modulus`: the same shares as Prometheus. */
function hashModulo(text: string, modulus: number): string {
  const digest = hash('md5', text, 'buffer');
  return String(digest.readBigUInt64BE(8) % BigInt(modulus));
}
