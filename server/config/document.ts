import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import { type KeyPath, Origins, type Problem } from './problem.ts';
import { syntaxErrors, TOO_DEEP } from './yaml-errors.ts';

const MAX_DEPTH = 32;
/** Aliases that a file may use, and values that they may stand for in all, before it counts as a bomb. */
const MAX_ALIASES = 1000;
const MAX_ALIASED_VALUES = 100_000;
const TOO_MANY_ALIASES = 'aliases stand for too many values; write some of them out';

/** A file's values as plain maps (without prototype) and lists, with the lines they stand on. */
export interface ConfigTree {
  readonly value: unknown;
  readonly origins: Origins;
  readonly problems: Problem[];
}

/**
 * Reads YAML 1.2 (with `<<` merges). Keys without a value are left out, so they mean the same as no key.
 * Below `labels`, plain values are kept as the text that was written: `1.10` stays `1.10`.
 */
export function readTree(text: string, file: string): ConfigTree | { readonly errors: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const errors = syntaxErrors(document, lines, file);
  if (errors.length > 0) return { errors };
  const reader = new TreeReader(lines, aliasTargets(document), new Origins(file));
  const value = reader.read(document.contents, { path: [], keyLine: 1, depth: 0 });
  if (reader.stopped !== undefined) return { errors: [`${file}:${reader.stopped}`] };
  return { value: value ?? {}, origins: reader.origins, problems: reader.problems };
}

type MaybeNode = Node | null | undefined;

/** What each alias stands for: the node with its anchor that was written last before it. */
function aliasTargets(document: Document): ReadonlyMap<Node, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Node, Node>();
  visit(document, {
    Node: (_, node) => {
      const target = isAlias(node) ? anchors.get(node.source) : undefined;
      if (target !== undefined) targets.set(node, target);
      if (!isAlias(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

interface Place {
  readonly path: KeyPath;
  readonly keyLine: number;
  readonly depth: number;
  /** Inside of what an alias stands for: the line of that alias. */
  readonly aliasLine?: number;
}

interface Entry {
  readonly key: string;
  readonly keyLine: number;
  readonly value: MaybeNode;
}

class TreeReader {
  readonly origins: Origins;
  readonly problems: Problem[] = [];
  private readonly lines: LineCounter;
  private readonly targets: ReadonlyMap<Node, Node>;
  private aliases = 0;
  private aliasedValues = 0;
  /** Line and reason of having given up on the file. */
  stopped: string | undefined;

  constructor(lines: LineCounter, targets: ReadonlyMap<Node, Node>, origins: Origins) {
    this.lines = lines;
    this.origins = origins;
    this.targets = targets;
  }

  read(node: MaybeNode, place: Place): unknown {
    this.origins.set(place.path, { keyLine: place.keyLine, line: isScalar(node) ? this.lineOf(node) : place.keyLine });
    if (place.depth > MAX_DEPTH) return this.stop(place, TOO_DEEP);
    if (place.aliasLine !== undefined && ++this.aliasedValues > MAX_ALIASED_VALUES)
      return this.stop(place, TOO_MANY_ALIASES);
    if (this.stopped !== undefined || node === null || node === undefined) return null;
    if (isAlias(node)) return this.readAlias(node, place);
    if (isMap(node)) return this.readMap(node, place);
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const keyLine = this.lineOf(item as Node);
        return this.read(item as Node, { ...place, path: [...place.path, index], keyLine, depth: place.depth + 1 });
      });
    }
    if (!isScalar(node)) return null;
    return isLabel(place.path) && node.type === 'PLAIN' ? labelText(node) : node.value;
  }

  private readAlias(node: Node & { source: string }, place: Place): unknown {
    if (++this.aliases > MAX_ALIASES) return this.stop(place, TOO_MANY_ALIASES);
    const target = this.targets.get(node);
    if (target === undefined)
      return this.fail(place, `the alias *${node.source} has no anchor &${node.source} above it`);
    return this.read(target, { ...place, depth: place.depth + 1, aliasLine: place.aliasLine ?? this.lineOf(node) });
  }

  private readMap(node: YAMLMap, place: Place): unknown {
    const result: Record<string, unknown> = Object.create(null);
    for (const { key, keyLine, value } of this.entriesOf(node, place)) {
      const path = [...place.path, key];
      const item = this.read(value, { ...place, path, keyLine, depth: place.depth + 1 });
      if (item !== null) result[key] = item;
    }
    return result;
  }

  private entriesOf(node: YAMLMap, place: Place): Entry[] {
    const own = new Map<string, Entry>();
    const merged: Entry[] = [];
    for (const pair of node.items) {
      const entry = this.entryOf(pair, place);
      const earlier = entry && own.get(entry.key);
      if (entry?.key === '<<') merged.push(...this.mergedEntries(entry.value, { ...place, keyLine: entry.keyLine }));
      else if (earlier) this.failTwice(earlier, entry, place);
      else if (entry) own.set(entry.key, entry);
    }
    for (const entry of merged) if (!own.has(entry.key)) own.set(entry.key, entry);
    return [...own.values()];
  }

  private entryOf(pair: Pair, place: Place): Entry | undefined {
    const key = pair.key;
    const value = pair.value as MaybeNode;
    if (!isScalar(key)) {
      const keyLine = isAlias(key) || isMap(key) || isSeq(key) ? this.lineOf(key) : place.keyLine;
      this.problems.push({
        path: place.path,
        line: keyLine,
        message: 'a key is a list, a map or an alias; write plain text',
      });
      return undefined;
    }
    const text = key.type === 'PLAIN' ? (key.source ?? '') : String(key.value);
    return { key: text, keyLine: key.range ? this.lineOf(key) : place.keyLine, value };
  }

  /** Entries of the map, or list of maps, that stands behind `<<`; earlier maps win over later ones. */
  private mergedEntries(node: MaybeNode, place: Place): Entry[] {
    if (place.depth > MAX_DEPTH) return this.stop(place, TOO_DEEP) ?? [];
    if (isSeq(node))
      return node.items.flatMap((item) => this.mergedEntries(item as Node, { ...place, depth: place.depth + 1 }));
    if (isAlias(node) && ++this.aliases > MAX_ALIASES) return this.stop(place, TOO_MANY_ALIASES) ?? [];
    const map = isAlias(node) ? this.targets.get(node) : node;
    if (isMap(map)) return this.entriesOf(map, { ...place, depth: place.depth + 1 });
    this.problems.push({
      path: place.path,
      line: place.keyLine,
      message: '<< merges maps; give it the alias of one',
    });
    return [];
  }

  private failTwice(earlier: Entry, entry: Entry, place: Place): void {
    const message = `the key stands twice, here and on line ${earlier.keyLine}; remove one`;
    this.problems.push({ path: [...place.path, entry.key], line: entry.keyLine, message });
  }

  private lineOf(node: MaybeNode): number {
    return node?.range ? this.lines.linePos(node.range[0]).line : 1;
  }

  /** Gives up on the file: what follows would only repeat the problem. */
  private stop(place: Place, message: string): null {
    this.stopped ??= `${place.aliasLine ?? place.keyLine}: ${message}`;
    return null;
  }

  private fail(place: Place, message: string): null {
    this.problems.push({ path: place.path, message });
    return null;
  }
}

function isLabel(path: KeyPath): boolean {
  return path.at(-2) === 'labels';
}

/** `~` and `null` are empty in a label, as in Prometheus. */
function labelText(node: { value: unknown; source?: string }): string {
  return node.value === null ? '' : (node.source ?? String(node.value));
}
