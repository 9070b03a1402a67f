/** What has to fit together within one alert rule, and between them. */

import { isSignalName, type SignalName } from '../model/signals.ts';
import { templateProblem } from '../model/template.ts';
import { readQuantity, thresholdProblem } from './alert-fields.ts';
import { windowProblems } from './alert-windows.ts';
import { ALERT_LABELS } from './alerts-schema.ts';
import { type KeyPath, type Origins, type Problem, shown, valueAt } from './problem.ts';

const THRESHOLDS = ['above', 'below', 'clear_at', 'floor'] as const;
const DEFAULT_BY = ['service', 'namespace'];
const CONDITIONS = 'write signal with above or below, signal with against and factor, or slo';

const CHOOSE = 'choose another name, or remove it';
/** Labels that every alert has already. */
const TAKEN: Readonly<Record<string, string>> = {
  alertname: 'it is the name of the rule; remove it',
  severity: 'write severity beside labels, not in them',
};

/** Breaches of the rules; values that are wrong by themselves are passed over. */
export function alertProblems(tree: unknown, origins: Origins): Problem[] {
  const rules = valueAt(tree, ['alerts', 'rules']);
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((rule: unknown, index) => {
    const path: KeyPath = ['alerts', 'rules', index];
    const condition = [
      ...conditionProblems(rule, path),
      ...thresholdProblems(rule, path),
      ...floorProblems(rule, path),
    ];
    return [
      ...condition,
      ...(condition.length === 0 ? windowProblems(tree, rule, path, origins) : []),
      ...labelProblems(rule, path),
      ...templateProblems(rule, path),
      ...duplicateProblems(rules, index, origins),
    ];
  });
}

function has(rule: unknown, key: string): boolean {
  const value = valueAt(rule, [key]);
  return value !== undefined && value !== null;
}

/** Exactly one kind of condition. */
function conditionProblems(rule: unknown, path: KeyPath): Problem[] {
  const problem = conditionProblem((key) => has(rule, key));
  return problem === undefined
    ? []
    : [{ path: problem.key === undefined ? path : [...path, problem.key], message: problem.message }];
}

function conditionProblem(given: (key: string) => boolean): { key?: string; message: string } | undefined {
  const extra = ['signal', 'above', 'below', 'clear_at', 'against', 'factor', 'floor'].find(given);
  if (given('slo'))
    return extra === undefined
      ? undefined
      : { key: extra, message: 'an objective has no threshold; remove this, or slo' };
  if (!given('signal')) return { message: `the rule watches nothing; ${CONDITIONS}` };
  if (given('above') && given('below'))
    return { key: 'below', message: 'above and below exclude each other; make two rules' };
  const isCompared = given('against') || given('factor');
  if (isCompared && (given('above') || given('below')))
    return {
      key: given('above') ? 'above' : 'below',
      message: 'a comparison has no threshold; remove this, or against and factor',
    };
  if (given('against') !== given('factor'))
    return {
      key: given('against') ? 'against' : 'factor',
      message: 'against and factor belong together; write both, such as against: 1d and factor: 2',
    };
  if (!isCompared && given('floor'))
    return { key: 'floor', message: 'only a comparison has a floor; remove it, or write against and factor' };
  if (!isCompared && !given('above') && !given('below')) return { message: `the rule has no threshold; ${CONDITIONS}` };
  return isCompared && given('clear_at')
    ? { key: 'clear_at', message: 'a comparison has no clear_at; remove it' }
    : undefined;
}

function thresholdProblems(rule: unknown, path: KeyPath): Problem[] {
  const signal = valueAt(rule, ['signal']);
  if (typeof signal !== 'string' || !isSignalName(signal)) return [];
  const units = THRESHOLDS.flatMap((key) => {
    const message = thresholdProblem(signal, valueAt(rule, [key]));
    return message === undefined ? [] : [{ path: [...path, key], message }];
  });
  return units.length > 0 ? units : clearProblems(rule, path, signal);
}

/** A firing alert must not end where it would fire at once again. */
function clearProblems(rule: unknown, path: KeyPath, signal: SignalName): Problem[] {
  const quantity = (key: string) => readQuantity(valueAt(rule, [key]))?.value;
  const [above, below, clear] = [quantity('above'), quantity('below'), quantity('clear_at')];
  if (clear === undefined) return [];
  const isWrong = (above !== undefined && clear > above) || (below !== undefined && clear < below);
  const side = above === undefined ? 'below' : 'above';
  const message = `${signal} would fire and end at once; write ${side === 'above' ? 'at most what above is' : 'at least what below is'}`;
  return isWrong ? [{ path: [...path, 'clear_at'], message }] : [];
}

/** Below 1 a comparison looks for what is low. */
function floorProblems(rule: unknown, path: KeyPath): Problem[] {
  const factor = valueAt(rule, ['factor']);
  if (!has(rule, 'floor') || typeof factor !== 'number' || factor > 1) return [];
  return [{ path: [...path, 'floor'], message: 'a comparison with a factor below 1 has no floor; remove it' }];
}

/** Labels that a rule tells alerts apart by. */
function labelsApart(rule: unknown): string[] {
  const by = valueAt(rule, ['by']);
  return Array.isArray(by) ? by.filter((label) => typeof label === 'string') : DEFAULT_BY;
}

function keysAt(rule: unknown, key: string): string[] {
  const value = valueAt(rule, [key]);
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

/** Labels that a rule can not pick by, as its alerts do not have them, and those that its alerts get from elsewhere. */
function labelProblems(rule: unknown, path: KeyPath): Problem[] {
  const by = labelsApart(rule);
  const picked = keysAt(rule, 'match').flatMap((label): Problem[] => {
    if (by.includes(label) || !ALERT_LABELS.some((known) => known === label)) return [];
    const message = `nothing would ever match, as the rule does not tell apart by ${label}; write by: [${[...by, label].join(', ')}]`;
    return [{ path: [...path, 'match', label], message }];
  });
  const taken = keysAt(rule, 'labels').flatMap((label): Problem[] => {
    const message = by.includes(label) ? `alerts get it from what they are about; ${CHOOSE}` : TAKEN[label];
    return message === undefined ? [] : [{ path: [...path, 'labels', label], message }];
  });
  return [...picked, ...taken];
}

function templateProblems(rule: unknown, path: KeyPath): Problem[] {
  const labels = [...labelsApart(rule), 'alertname', 'severity', ...keysAt(rule, 'labels')];
  const annotations = valueAt(rule, ['annotations']);
  if (typeof annotations !== 'object' || annotations === null) return [];
  return Object.entries(annotations).flatMap(([name, template]) => {
    const message = typeof template === 'string' ? templateProblem(template, labels) : undefined;
    return message === undefined ? [] : [{ path: [...path, 'annotations', name], message }];
  });
}

function duplicateProblems(rules: readonly unknown[], index: number, origins: Origins): Problem[] {
  const name = valueAt(rules[index], ['name']);
  const first = rules.findIndex((rule) => valueAt(rule, ['name']) === name);
  if (typeof name !== 'string' || first === index) return [];
  const path: KeyPath = ['alerts', 'rules', index, 'name'];
  const where = origins.place(origins.nearest(['alerts', 'rules', first, 'name']), path);
  return [{ path, message: `${shown(name)} is the name of another rule, ${where}; choose another name` }];
}
