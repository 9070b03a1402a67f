/** All entries of `discovery` at work, and the set of targets that they come to. */

import type { DiscoveryConfig, EntryConfig, ScrapeConfig } from '../config/config.ts';
import type { Target } from '../model/discovered-target.ts';
import type { CreateDiscoverer, Surroundings } from './discoverer.ts';
import { MECHANISMS, type MechanismName, type Mechanisms } from './mechanisms.ts';
import { mergeTargets } from './merge-targets.ts';
import type { Dropped } from './resolve-target.ts';
import { type EntrySettings, RunningEntry } from './running-entry.ts';

/** How one entry of the configuration does. */
export interface EntryState {
  readonly name: string;
  readonly error: string;
  /** Whether its first answer is there. */
  readonly answered: boolean;
}

export interface DiscoveryOptions {
  readonly surroundings: Surroundings;
  /** Called when the set is another one; targets that are as they were are the same objects. */
  readonly onTargets: (targets: readonly Target[]) => void;
  /** Called when an entry fails, fails for another reason, or works again (empty). */
  readonly onHealth?: (entry: string, error: string) => void;
  /** Called once for targets that were found twice with labels in conflict, a line each. */
  readonly onConflicts?: (lines: readonly string[]) => void;
  readonly mechanisms?: Mechanisms;
}

export interface DiscoverySettings {
  readonly discovery: DiscoveryConfig;
  readonly scrape: Pick<ScrapeConfig, 'tls' | 'auth' | 'allowLinkLocal'>;
}

/** Most dropped ones that are listed. */
const LISTED_DROPPED = 1000;
/** Updates that come together are applied together. */
const GATHER_MS = 100;
const LIMIT = 'discovery.targets_limit';

export class Discovery {
  private readonly options: DiscoveryOptions;
  private readonly mechanisms: Mechanisms;
  private entries = new Map<string, RunningEntry>();
  private targets: ReadonlyMap<string, Target> = new Map();
  private conflicts: ReadonlyMap<string, string> = new Map();
  private targetsLimit = 0;
  private refused = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(options: DiscoveryOptions) {
    this.options = options;
    this.mechanisms = options.mechanisms ?? MECHANISMS;
  }

  /**
   * Works by this configuration from now on. Entries that are as they were go on undisturbed; of a changed one,
   * what it found stays until it has answered anew. What the configuration itself lists is applied at once.
   */
  apply(settings: DiscoverySettings): void {
    this.targetsLimit = settings.discovery.targetsLimit;
    const before = this.entries;
    this.entries = new Map();
    const started: RunningEntry[] = [];
    for (const { key, name, settings: entrySettings, create } of this.wanted(settings)) {
      const known = before.get(key);
      before.delete(key);
      known?.configure(entrySettings);
      const entry = known ?? new RunningEntry(create(), entrySettings, byName(before, name));
      if (!known) started.push(entry);
      this.entries.set(key, entry);
    }
    for (const gone of before.values()) void gone.discoverer.stop();
    for (const entry of started) this.run(entry);
    this.merge();
  }

  /** What was found and is no target, the first of them and how many there are. */
  dropped(): { readonly list: readonly Dropped[]; readonly total: number } {
    const list: Dropped[] = [];
    let total = 0;
    for (const entry of this.entries.values()) {
      for (const dropped of entry.dropped()) if (++total <= LISTED_DROPPED) list.push(dropped);
    }
    return { list, total };
  }

  /** What is to be told of a target's discovery; empty when there is nothing. */
  note(key: string): string {
    const notes = [this.conflicts.get(key), this.targets.get(key)?.note];
    return notes.filter((note) => note !== undefined).join('; ');
  }

  /** How every entry does, and the set as a whole. */
  states(): EntryState[] {
    const entries = [...this.entries.values()].map(({ settings, error, answered }) => {
      return { name: settings.name, error, answered };
    });
    return this.refused === '' ? entries : [...entries, { name: LIMIT, error: this.refused, answered: true }];
  }

  current(): readonly Target[] {
    return [...this.targets.values()];
  }

  /** Resolves once every entry has answered, and the set holds what they said. */
  async settled(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && [...this.entries.values()].some(({ answered, error }) => !answered && error === ''))
      await new Promise((resolve) => setTimeout(resolve, 20));
    this.merge();
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    const entries = [...this.entries.values()];
    this.entries.clear();
    await Promise.all(entries.map(({ discoverer }) => discoverer.stop()));
  }

  private *wanted({ discovery, scrape }: DiscoverySettings) {
    for (const mechanism of Object.keys(this.mechanisms) as MechanismName[]) {
      const counts = new Map<string, number>();
      for (const [index, entry] of discovery[mechanism].entries()) {
        const own = JSON.stringify({ ...entry, relabel: [], tls: undefined, auth: undefined });
        const count = (counts.get(own) ?? 0) + 1;
        counts.set(own, count);
        const name = `discovery.${mechanism}[${index}]`;
        const settings = settingsOf({ name, entry, relabel: discovery.relabel, scrape });
        const create = () => this.create(mechanism, entry);
        yield { key: JSON.stringify([mechanism, own, count]), name, settings, create };
      }
    }
  }

  private create(mechanism: MechanismName, entry: EntryConfig) {
    const create = this.mechanisms[mechanism] as CreateDiscoverer<EntryConfig>;
    return create(entry, this.options.surroundings);
  }

  private run(entry: RunningEntry): void {
    entry.discoverer.start({
      update: (groups) => {
        if (entry.update(groups)) this.timer ??= setTimeout(() => this.merge(), GATHER_MS);
      },
      health: (error) => {
        if (entry.error === error) return;
        entry.error = error;
        this.options.onHealth?.(entry.settings.name, error);
      },
    });
  }

  private merge(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const found = [...this.entries.values()].map((entry) => ({ entry: entry.settings.name, targets: entry.targets() }));
    const { targets, conflicts } = mergeTargets(found, this.targets);
    const refused =
      targets.size <= this.targetsLimit
        ? ''
        : `${targets.size} targets were found, more than ${LIMIT} (${this.targetsLimit}): the set before stays; raise the limit, or drop some with relabelling rules`;
    if (refused !== this.refused) this.options.onHealth?.(LIMIT, refused);
    this.refused = refused;
    if (refused !== '') return;
    const before = this.targets;
    this.targets = targets;
    this.tellConflicts(conflicts);
    if (!sameSet(before, targets)) this.options.onTargets([...targets.values()]);
  }

  private tellConflicts(conflicts: ReadonlyMap<string, string>): void {
    const fresh = [...conflicts].filter(([key, words]) => this.conflicts.get(key) !== words);
    this.conflicts = conflicts;
    if (fresh.length > 0) this.options.onConflicts?.(fresh.map(([key, words]) => `${key}: ${words}`));
  }
}

/** Without what only the mechanism itself needs. */
function settingsOf(written: Omit<EntrySettings, 'reach'> & Pick<DiscoverySettings, 'scrape'>): EntrySettings {
  const { name, entry, relabel, scrape } = written;
  const own: EntryConfig = { relabel: entry.relabel, ...reachOf(entry) };
  return { name, entry: own, relabel, reach: { ...reachOf(scrape), allowLinkLocal: scrape.allowLinkLocal } };
}

function reachOf({ tls, auth }: Pick<EntryConfig, 'tls' | 'auth'>): Pick<EntryConfig, 'tls' | 'auth'> {
  return { ...(tls && { tls }), ...(auth && { auth }) };
}

/** The entry at the same place of the configuration before. */
function byName(entries: ReadonlyMap<string, RunningEntry>, name: string): RunningEntry | undefined {
  return [...entries.values()].find(({ settings }) => settings.name === name);
}

function sameSet(a: ReadonlyMap<string, Target>, b: ReadonlyMap<string, Target>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, target] of b) if (a.get(key) !== target) return false;
  return true;
}
