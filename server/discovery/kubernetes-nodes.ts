/** Regions and zones of nodes. Reading nodes is optional: without the right to, pods have their own labels only. */

import { at, textAt, textsAt } from './kubernetes-pod.ts';
import { NOWHERE, type Place, placeOf } from './kubernetes-target.ts';

/** Nodes' names and labels alone, without what they run. */
export const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json';
export const METADATA_WATCH = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json';

export class NodePlaces {
  private readonly moved: (nodes: ReadonlySet<string>) => void;
  private known = new Map<string, Place>();
  private listing = new Map<string, Place>();

  /** `moved` is told the names of nodes whose place has changed. */
  constructor(moved: (nodes: ReadonlySet<string>) => void) {
    this.moved = moved;
  }

  placeOf(name: string): Place {
    return this.known.get(name) ?? NOWHERE;
  }

  begin(): void {
    this.listing = new Map();
  }

  item(node: unknown): void {
    this.listing.set(nameOf(node), placeOf(textsAt(at(node, 'metadata'), 'labels')));
  }

  end(): void {
    const names = new Set([...this.known.keys(), ...this.listing.keys()]);
    const differs = (name: string) => !samePlace(this.placeOf(name), this.listing.get(name) ?? NOWHERE);
    const moved = new Set([...names].filter(differs));
    this.known = this.listing;
    this.listing = new Map();
    if (moved.size > 0) this.moved(moved);
  }

  changed(node: unknown): void {
    const name = nameOf(node);
    const place = placeOf(textsAt(at(node, 'metadata'), 'labels'));
    const before = this.placeOf(name);
    this.known.set(name, place);
    if (!samePlace(before, place)) this.moved(new Set([name]));
  }

  /** Its pods go too; until then they stay where they are. */
  deleted(node: unknown): void {
    this.known.delete(nameOf(node));
  }
}

function nameOf(node: unknown): string {
  return textAt(at(node, 'metadata'), 'name');
}

function samePlace(one: Place, other: Place): boolean {
  return one.region === other.region && one.zone === other.zone;
}
