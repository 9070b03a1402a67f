/** Prometheus's list of target groups, `[{ targets: ["host:port"], labels: {…} }]`, as files and servers give it. */

import type { Labels } from '../model/labels.ts';

export interface ListedGroup {
  readonly targets: readonly string[];
  readonly labels: Labels;
}

/** What is wrong with a list; the message names the place in it. */
export class TargetGroupsError extends Error {
  override name = 'TargetGroupsError';
}

/** Most bytes of one list. */
export const LIST_LIMIT_BYTES = 32 * 1024 * 1024;
const MAX_GROUPS = 100_000;
const MAX_TARGETS = 100_000;
const MAX_LABELS = 128;
const MAX_NAME = 256;
const MAX_VALUE = 4096;
const MAX_ADDRESS = 1024;

/** @throws TargetGroupsError that says where the list is no list of target groups; unknown keys are errors, as in Prometheus. */
export function readTargetGroups(tree: unknown): ListedGroup[] {
  const groups = listAt(tree, 'the list of groups', MAX_GROUPS);
  let targets = 0;
  return groups.map((written, index) => {
    const place = `group ${index + 1}`;
    const group = mapAt(written, place);
    const unknown = Object.keys(group).find((key) => key !== 'targets' && key !== 'labels');
    if (unknown !== undefined) fail(place, `unknown key ${quoted(unknown)}; a group has targets and labels`);
    const addresses = listAt(group.targets ?? [], `targets of ${place}`, MAX_TARGETS).map((address, at) =>
      textAt(address, `target ${at + 1} of ${place}`, MAX_ADDRESS),
    );
    targets += addresses.length;
    if (targets > MAX_TARGETS) fail(place, `more than ${MAX_TARGETS} targets in all`);
    return { targets: addresses, labels: labelsAt(group.labels ?? {}, place) };
  });
}

function labelsAt(written: unknown, place: string): Labels {
  const entries = Object.entries(mapAt(written, `labels of ${place}`));
  if (entries.length > MAX_LABELS) fail(place, `${entries.length} labels; at most ${MAX_LABELS} are taken`);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (name.length > MAX_NAME)
        fail(place, `a label's name has ${name.length} characters; at most ${MAX_NAME} are taken`);
      if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name))
        fail(place, `${quoted(name)} is not a label name; use letters, digits and _`);
      return [name, textAt(value, `label ${name} of ${place}`, MAX_VALUE)];
    }),
  );
}

function listAt(value: unknown, place: string, limit: number): unknown[] {
  if (!Array.isArray(value)) fail(place, `expected a list, found ${kindOf(value)}`);
  const list: unknown[] = value;
  if (list.length > limit) fail(place, `${list.length} entries; at most ${limit} are taken`);
  return list;
}

function mapAt(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    fail(place, `expected a map, found ${kindOf(value)}`);
  return value as Record<string, unknown>;
}

function textAt(value: unknown, place: string, limit: number): string {
  if (typeof value !== 'string') fail(place, `expected text, found ${kindOf(value)}`);
  if (value.length > limit) fail(place, `${value.length} characters; at most ${limit} are taken`);
  return value;
}

function fail(place: string, message: string): never {
  throw new TargetGroupsError(`${place}: ${message}`);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : `the ${typeof value} ${quoted(String(value))}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}
