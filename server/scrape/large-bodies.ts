/** Beyond this size an answer is a large one. */
export const LARGE_BYTES = 1024 * 1024;

/**
 * Lets so many large answers be received at once; the others wait with what they have, whatever time they are given for
 * it: many targets that send without end at the same moment would otherwise take as much memory as all their limits are.
 */
export class LargeBodies<Owner extends object> {
  private readonly atOnce: number;
  private readonly receiving = new Set<Owner>();
  /** In the order in which they came. */
  private readonly waiting = new Map<Owner, () => void>();

  constructor(atOnce: number) {
    this.atOnce = atOnce;
  }

  /** Whether it may go on; otherwise `goOn` is called once it may. */
  mayGoOn(owner: Owner, goOn: () => void): boolean {
    if (this.receiving.has(owner)) return true;
    if (this.receiving.size < this.atOnce) {
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

/** So many may be larger than so many bytes at once. */
const LIMITS = [
  { bytes: LARGE_BYTES, atOnce: 2 },
  { bytes: 8 * LARGE_BYTES, atOnce: 1 },
] as const;

/** Lets few large answers be received at once, and fewer very large ones. */
export class LargeAnswers<Owner extends object> {
  private readonly limits = LIMITS.map(({ bytes, atOnce }) => ({ bytes, bodies: new LargeBodies<Owner>(atOnce) }));

  /** Whether one of which so many bytes have come may go on; otherwise `goOn` is called once it may. */
  mayGoOn(owner: Owner, received: number, goOn: () => void): boolean {
    return this.limits.every(({ bytes, bodies }) => received <= bytes || bodies.mayGoOn(owner, goOn));
  }

  ended(owner: Owner): void {
    for (const { bodies } of this.limits) bodies.ended(owner);
  }
}
