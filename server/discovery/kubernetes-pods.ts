/** The pods of one watch as target groups: tells what changed, and keeps nothing else of them. */

import type { TargetGroup } from './discoverer.ts';
import { readPod } from './kubernetes-pod.ts';
import { movedGroup, type Place, type PodRules, podGroup, sourceOf } from './kubernetes-target.ts';

interface KnownPod {
  readonly group: TargetGroup;
  readonly nodeName: string;
}

export interface PodGroupsOptions {
  readonly rules: PodRules;
  readonly placeOfNode: (name: string) => Place;
  readonly emit: (groups: readonly TargetGroup[]) => void;
}

export class PodGroups {
  private readonly options: PodGroupsOptions;
  private known = new Map<string, KnownPod>();
  private listing = new Map<string, KnownPod>();

  constructor(options: PodGroupsOptions) {
    this.options = options;
  }

  begin(): void {
    this.listing = new Map();
  }

  item(manifest: unknown): void {
    const read = this.read(manifest);
    if (read === undefined) return;
    const before = this.known.get(read.group.source);
    this.listing.set(read.group.source, before !== undefined && sameGroup(before.group, read.group) ? before : read);
  }

  end(): void {
    const changes = [...this.listing.values()].filter((now) => this.known.get(now.group.source) !== now);
    const gone = [...this.known.keys()].filter((source) => !this.listing.has(source));
    const empty = new Set(changes.filter(({ group }) => isEmpty(group)).map(({ group }) => group.source));
    const told = changes.filter(({ group }) => !empty.has(group.source) || this.known.has(group.source));
    for (const source of empty) this.listing.delete(source);
    this.known = this.listing;
    this.listing = new Map();
    this.options.emit([...told.map(({ group }) => group), ...gone.map((source) => ({ source, targets: [] }))]);
  }

  changed(manifest: unknown): void {
    const read = this.read(manifest);
    if (read === undefined) return;
    const { source } = read.group;
    const before = this.known.get(source);
    if (before === undefined ? isEmpty(read.group) : sameGroup(before.group, read.group)) return;
    if (isEmpty(read.group)) this.known.delete(source);
    else this.known.set(source, read);
    this.options.emit([read.group]);
  }

  deleted(manifest: unknown): void {
    const pod = readPod(manifest);
    if (pod === undefined) return;
    const source = sourceOf(pod);
    if (this.known.delete(source)) this.options.emit([{ source, targets: [] }]);
  }

  /** Nodes tell another place than before. */
  moved(nodes: ReadonlySet<string>): void {
    const groups: TargetGroup[] = [];
    for (const [source, { group, nodeName }] of this.known) {
      if (!nodes.has(nodeName) || group.targets.length === 0) continue;
      const moved = movedGroup(group, this.options.placeOfNode(nodeName));
      if (sameGroup(group, moved)) continue;
      this.known.set(source, { group: moved, nodeName });
      groups.push(moved);
    }
    if (groups.length > 0) this.options.emit(groups);
  }

  private read(manifest: unknown): KnownPod | undefined {
    const pod = readPod(manifest);
    if (pod === undefined) return undefined;
    const { rules, placeOfNode } = this.options;
    return { group: podGroup(pod, rules, placeOfNode(pod.nodeName)), nodeName: pod.nodeName };
  }
}

function isEmpty({ targets, excluded = [] }: TargetGroup): boolean {
  return targets.length === 0 && excluded.length === 0;
}

/** Whether a pod's group says what it said before; most changes of a pod concern nothing that is kept. */
function sameGroup(before: TargetGroup, now: TargetGroup): boolean {
  const said = ({ targets, excluded }: TargetGroup) =>
    JSON.stringify([targets.map(({ address, labels, reach }) => [address, labels, reach?.key]), excluded]);
  return said(before) === said(now);
}
