/** Names of targets that are not used for so long are forgotten: longer than it takes from one packing to the next. */
export const NAMES_TURN_MS = 600_000;

/**
 * What is remembered as long as it is used: of what can be looked up again, so that names of instances that are gone do
 * not pile up.
 */
export class RecentlyUsed<Key, Value> {
  private used = new Map<Key, Value>();
  private before = new Map<Key, Value>();

  get(key: Key): Value | undefined {
    const value = this.used.get(key);
    if (value !== undefined) return value;
    const older = this.before.get(key);
    if (older !== undefined) this.used.set(key, older);
    return older;
  }

  set(key: Key, value: Value): void {
    this.used.set(key, value);
  }

  /** Forgets what was not used since the last turn. */
  turn(): void {
    this.before = this.used;
    this.used = new Map();
  }

  clear(): void {
    this.used.clear();
    this.before.clear();
  }
}
