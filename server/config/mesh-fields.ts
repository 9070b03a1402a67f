import { RE2JS } from 're2js';
import { z } from 'zod';
import { formatTargetAddress, parseTargetAddress } from '../model/target.ts';
import { type Parsed, textField } from './fields.ts';
import { described, shown } from './problem.ts';

const MAX_TEXT = 1024;
const MAX_BUCKETS = 100;

/** A target's address, in canonical text. */
export function targetField() {
  return textField('"10.0.0.5:9901"', (text) => {
    const parsed = parseTargetAddress(text);
    return parsed.ok ? { value: formatTargetAddress(parsed.address) } : { error: parsed.error };
  });
}

/** Label names to values; empty values are left out, as they mean the same as no label. */
export function labelsField() {
  return z.unknown().transform((written, context): Record<string, string> => {
    if (typeof written !== 'object' || written === null || Array.isArray(written)) {
      const message = `expected a map of labels such as service: checkout, found ${described(written)}`;
      context.issues.push({ code: 'custom', message, input: written });
      return z.NEVER;
    }
    const labels: Record<string, string> = {};
    for (const [name, value] of Object.entries(written)) {
      const problem = labelNameProblem(name) ?? labelValueProblem(name, value);
      if (problem !== undefined) context.issues.push({ code: 'custom', path: [name], message: problem, input: value });
      else if (value !== '') labels[name] = String(value);
    }
    return labels;
  });
}

/** A key that is named as labels are. */
export function labelNameField() {
  return z.string().superRefine((name, context) => {
    const message = labelNameProblem(name);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

/** An RE2 pattern that is matched against the whole of a cluster's name. */
export function patternField(example: string) {
  return textField(example, (text): Parsed<string> => {
    if (text === '') return { error: 'an empty pattern matches no cluster; write one such as "^my_app$"' };
    const compiled = compilePattern(text);
    return 'error' in compiled ? compiled : { value: text };
  });
}

/** A service's name with references to groups of a pattern. */
export function serviceTemplateField() {
  return textField('the service\'s name, such as "$1"', (text) => {
    if (text === '' || text.length > MAX_TEXT) return { error: `a service's name has 1 to ${MAX_TEXT} characters` };
    return { value: text };
  });
}

/** What is wrong with the references of `service` to groups of `match`; nothing when the pattern itself is wrong. */
export function referenceProblem(match: string, service: string): string | undefined {
  const compiled = compilePattern(match);
  if ('error' in compiled) return undefined;
  const { groups, names } = compiled.value;
  for (const [reference, braced, bare] of service.matchAll(/\$(?:\$|\{([^}]*)\}|(\w+))?/g)) {
    const name = braced ?? bare;
    if (reference === '$$') continue;
    if (name === undefined) return "a $ without a group's number; write $1, or $$ for the character $";
    if (names.includes(name) || (/^\d+$/.test(name) && Number(name) <= groups)) continue;
    const [, digits, rest] = /^(\d+)(\D.*)$/.exec(bare ?? '') ?? [];
    if (digits !== undefined) return `${reference} names the group ${shown(name)}; write \${${digits}}${rest}`;
    const count = groups === 0 ? 'no groups' : groups === 1 ? 'one group' : `${groups} groups`;
    return `${reference} refers to a group that match does not have; it has ${count}`;
  }
  return undefined;
}

/** Upper bounds in seconds; each must be a positive number above the one before. */
export function bucketsField() {
  return z.unknown().transform((written, context): number[] => {
    const fail = (message: string, path: number[] = []) => {
      context.issues.push({ code: 'custom', path, message, input: written });
    };
    if (!Array.isArray(written)) fail(`expected a list of seconds such as [0.1, 0.5, 1], found ${described(written)}`);
    const buckets: unknown[] = Array.isArray(written) ? written : [];
    if (Array.isArray(written) && (buckets.length === 0 || buckets.length > MAX_BUCKETS)) {
      fail(`${buckets.length} buckets; write 1 to ${MAX_BUCKETS}`);
    }
    buckets.forEach((bucket, index) => {
      const problem = bucketProblem(bucket, buckets[index - 1]);
      if (problem !== undefined) fail(problem, [index]);
    });
    return buckets.filter((bucket) => typeof bucket === 'number');
  });
}

function labelNameProblem(name: string): string | undefined {
  if (name.startsWith('__')) return 'label names that begin with __ are reserved; choose another name';
  if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) && name.length <= MAX_TEXT) return undefined;
  return 'not a label name; use letters, digits and _, and no digit first';
}

function labelValueProblem(name: string, value: unknown): string | undefined {
  if (typeof value === 'object' && value !== null) return `expected text, found ${described(value)}`;
  const text = String(value);
  if (text.length > MAX_TEXT) return `the value has ${text.length} characters; at most ${MAX_TEXT} are allowed`;
  if (name === 'role' && !['', 'sidecar', 'gateway'].includes(text))
    return `${shown(text)} is not one of sidecar, gateway`;
  return undefined;
}

/** An RE2 pattern's groups, or what is wrong with it. */
export function compilePattern(pattern: string): Parsed<{ groups: number; names: string[] }> {
  try {
    const compiled = RE2JS.compile(pattern);
    return { value: { groups: compiled.groupCount(), names: Object.keys(compiled.namedGroups()) } };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    return { error: `${shown(pattern)} is not an RE2 pattern: ${reason}` };
  }
}

function bucketProblem(bucket: unknown, before: unknown): string | undefined {
  if (typeof bucket !== 'number') return `expected a number of seconds (0.25 is 250 ms), found ${described(bucket)}`;
  if (bucket === Number.POSITIVE_INFINITY) return 'the bucket +Inf is always there; leave it out';
  if (!(bucket > 0)) return `${bucket} is not a positive number of seconds`;
  if (typeof before === 'number' && bucket <= before)
    return `${bucket} is not above ${before} before it; list buckets in ascending order`;
  return undefined;
}
