import type { Labels } from '../model/labels.ts';

/** Labels and the changes to them, made without copying all of them at every change. An empty value is no label. */
export class LabelEdits {
  private readonly base: Labels;
  private changes: Map<string, string> | undefined;
  private removes = false;

  constructor(base: Labels) {
    this.base = base;
  }

  /** Empty for a label that is not there. */
  get(name: string): string {
    const changed = this.changes?.get(name);
    if (changed !== undefined) return changed;
    return Object.hasOwn(this.base, name) ? (this.base[name] ?? '') : '';
  }

  /** Always true, as what a rule that keeps its target answers. */
  set(name: string, value: string): true {
    if (this.get(name) !== value) {
      this.changes ??= new Map();
      this.changes.set(name, value);
      if (value === '' || name === '__proto__') this.removes = true;
    }
    return true;
  }

  /** As they stand now; changes do not show in a list taken before. */
  entries(): [string, string][] {
    return Object.entries(this.result());
  }

  result(): Labels {
    if (this.changes === undefined) return this.base;
    if (!this.removes) return this.added(this.changes);
    const labels: Record<string, string> = {};
    for (const name of Object.keys(this.base)) {
      const value = this.get(name);
      if (value !== '') define(labels, name, value);
    }
    for (const [name, value] of this.changes) if (value !== '') define(labels, name, value);
    return labels;
  }

  /** The quick way, where nothing was removed. */
  private added(changes: ReadonlyMap<string, string>): Labels {
    const labels: Record<string, string> = { ...this.base };
    for (const [name, value] of changes) labels[name] = value;
    return labels;
  }
}

/** As assignment, for any name: `__proto__` is a legal label. */
function define(labels: Record<string, string>, name: string, value: string): void {
  if (name === '__proto__') Object.defineProperty(labels, name, { value, enumerable: true, configurable: true });
  else labels[name] = value;
}
