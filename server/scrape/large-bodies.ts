/** Beyond this size an answer is a large one. */
export const LARGE_BYTES = 1024 * 1024;
const AT_ONCE = 2;

/**
 * Lets so many large answers be received at once; the others wait with what they have, whatever time they are given for
 * it: many targets that send without end at the same moment would otherwise take as much memory as all their limits are.
 */
export class LargeBodies<Owner extends object> {
  private readonly receiving = new Set<Owner>();
  /** In the order in which they came. */
  private readonly waiting = new Map<Owner, () => void>();

  /** Whether it may go on; otherwise `goOn` is called once it may. */
  mayGoOn(owner: Owner, goOn: () => void): boolean {
    if (this.receiving.has(owner)) return true;
    if (this.receiving.size < AT_ONCE) {
      this.receiving.add(owner);
      return true;
    }
    this.waiting.set(owner, goOn);
    return false;
  }

  /** It has ended, well or not, large or not. */
  ended(owner: Owner): void {
    this.waiting.delete(owner);
    if (!this.receiving.delete(owner)) return;
    const [next] = this.waiting;
    if (!next) return;
    const [other, goOn] = next;
    this.waiting.delete(other);
    this.receiving.add(other);
    goOn();
  }
}
