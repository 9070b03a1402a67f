import type { Target } from '../model/discovered-target.ts';
import type { Labels } from '../model/labels.ts';

/** Targets of one entry of the configuration, named as there: `discovery.file[0]`. */
export interface EntryTargets {
  readonly entry: string;
  readonly targets: Iterable<Target>;
}

export interface MergedTargets {
  readonly targets: ReadonlyMap<string, Target>;
  /** By target: where else it was found with other labels, and what differs. */
  readonly conflicts: ReadonlyMap<string, string>;
}

/**
 * Every target once: where several entries find the same address, the first one's labels count.
 * A target that is as it was in `before` is the same object again.
 */
export function mergeTargets(found: Iterable<EntryTargets>, before: ReadonlyMap<string, Target>): MergedTargets {
  const targets = new Map<string, Target>();
  const conflicts = new Map<string, string>();
  const owners = new Map<string, string>();
  for (const { entry, targets: members } of found) {
    for (const target of members) {
      const first = targets.get(target.key);
      if (first === undefined) {
        const known = before.get(target.key);
        targets.set(target.key, known && sameTarget(known, target) ? known : target);
        owners.set(target.key, entry);
      } else if (!conflicts.has(target.key)) {
        const difference = differenceOf(first.labels, target.labels);
        const owner = owners.get(target.key) ?? '';
        if (difference !== undefined) conflicts.set(target.key, conflictInWords(entry, owner, difference));
      }
    }
  }
  return { targets, conflicts };
}

function conflictInWords(entry: string, owner: string, difference: string): string {
  const where = entry === owner ? `twice by ${entry}` : `by ${owner} and by ${entry}`;
  return `found ${where}, with other labels (${difference}); those found first count`;
}

function sameTarget(a: Target, b: Target): boolean {
  if (a === b) return true;
  return (
    a.reach?.key === b.reach?.key &&
    a.note === b.note &&
    a.fallbackPlace?.region === b.fallbackPlace?.region &&
    a.fallbackPlace?.zone === b.fallbackPlace?.zone &&
    sameLabels(a.labels, b.labels) &&
    sameLabels(a.discoveredLabels, b.discoveredLabels)
  );
}

function sameLabels(a: Labels, b: Labels): boolean {
  if (a === b) return true;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** The first label that differs, in words. */
function differenceOf(first: Labels, other: Labels): string | undefined {
  for (const name of new Set([...Object.keys(first), ...Object.keys(other)])) {
    if (first[name] !== other[name]) return `${name}: ${shown(first[name])} and ${shown(other[name])}`;
  }
  return undefined;
}

function shown(value: string | undefined): string {
  return value === undefined ? 'absent' : JSON.stringify(value.slice(0, 80));
}
