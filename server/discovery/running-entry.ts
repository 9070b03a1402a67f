import type { EntryConfig, RelabelRule } from '../config/config.ts';
import type { Target } from '../model/discovered-target.ts';
import type { Discoverer, TargetGroup } from './discoverer.ts';
import { reachOf } from './reach-of.ts';
import { compileRelabel, ruleInWords } from './relabel.ts';
import { type Dropped, type ResolvedGroup, type ResolveRules, resolveGroup } from './resolve-target.ts';

interface KnownGroup {
  readonly group: TargetGroup;
  resolved: ResolvedGroup | undefined;
}

/** Settings of an entry that change without its mechanism starting anew. */
export interface EntrySettings {
  /** As the configuration names it: `discovery.file[0]`. */
  readonly name: string;
  readonly entry: EntryConfig;
  readonly relabel: readonly RelabelRule[];
  /** For entries without `tls` or `auth` of their own. */
  readonly reach: Pick<EntryConfig, 'tls' | 'auth'> & { readonly allowLinkLocal: boolean };
}

/** One entry of the configuration with its mechanism, and what that found. */
export class RunningEntry {
  readonly discoverer: Discoverer;
  settings: EntrySettings;
  error = '';
  answered = false;
  private rules: ResolveRules;
  private groups = new Map<string, KnownGroup>();
  /** Groups of the entry that this one takes the place of; they stay until it has answered. */
  private inherited: boolean;

  constructor(discoverer: Discoverer, settings: EntrySettings, predecessor: RunningEntry | undefined) {
    this.discoverer = discoverer;
    this.settings = settings;
    this.rules = rulesOf(settings);
    this.inherited = predecessor !== undefined;
    for (const [source, { group }] of predecessor?.groups ?? [])
      this.groups.set(source, { group, resolved: undefined });
  }

  configure(settings: EntrySettings): void {
    const before = JSON.stringify(this.settings);
    this.settings = settings;
    if (before === JSON.stringify(settings)) return;
    this.rules = rulesOf(settings);
    for (const known of this.groups.values()) known.resolved = undefined;
  }

  /** Takes groups over; false where that leaves everything as it was. */
  update(groups: readonly TargetGroup[]): boolean {
    const isFirst = !this.answered;
    if (this.inherited) this.groups.clear();
    this.inherited = false;
    this.answered = true;
    for (const group of groups) {
      if (group.targets.length === 0 && !group.excluded?.length) this.groups.delete(group.source);
      else this.groups.set(group.source, { group, resolved: undefined });
    }
    return isFirst || groups.length > 0;
  }

  *targets(): Generator<Target> {
    for (const known of this.groups.values()) yield* this.resolved(known).targets;
  }

  *dropped(): Generator<Dropped> {
    for (const known of this.groups.values()) yield* this.resolved(known).dropped;
  }

  private resolved(known: KnownGroup): ResolvedGroup {
    known.resolved ??= resolveGroup(known.group, this.rules);
    return known.resolved;
  }
}

function rulesOf({ name, entry, relabel, reach }: EntrySettings): ResolveRules {
  const lists = [
    { rules: entry.relabel, place: `${name}.relabel_configs` },
    { rules: relabel, place: 'discovery.relabel' },
  ];
  return {
    scheme: entry.tls === undefined ? 'http' : 'https',
    reach: reachOf(entry, reach),
    relabel: lists
      .filter(({ rules }) => rules.length > 0)
      .map(({ rules, place }) => ({
        apply: compileRelabel(rules),
        reason: (rule) => {
          const written = rules[rule];
          return `dropped by ${place}[${rule}]${written ? ` (${ruleInWords(written)})` : ''}`;
        },
      })),
  };
}
