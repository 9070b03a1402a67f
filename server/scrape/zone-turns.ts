/**
 * When one target is asked for what it has by zone, together with its other stats: measured on a sidecar with ten busy
 * clusters and two zones, its lines are more than half of an answer, and a request of their own costs Envoy as much as
 * it saves.
 */
export class ZoneTurns {
  private every: number;
  /** Called zones that the target ever told of. */
  private readonly known = new Set<string>();
  /** Whether the last answer had anything by zone, be it of zones that can't be told. */
  private any = false;
  private untilNext = 0;

  /** `every`: at every how many scrapes; 0: never. */
  constructor(every: number) {
    this.every = every;
  }

  /** Counts from the next answer on. */
  change(every: number): void {
    this.every = every;
    this.untilNext = Math.min(this.untilNext, every);
  }

  /** Zones that need not be told when it is not their turn. */
  get leftOut(): ReadonlySet<string> {
    return this.known;
  }

  /** Whether the next answer should have everything by zone. */
  get due(): boolean {
    return this.every > 0 && this.untilNext <= 0 && this.known.size > 0;
  }

  /** Tells of what an answer has by zone; after a new zone it is their turn. */
  saw({ zones, any }: { zones: Iterable<string>; any: boolean }): void {
    this.any = any;
    for (const zone of zones) {
      if (this.known.has(zone)) continue;
      this.known.add(zone);
      this.untilNext = 0;
    }
  }

  /**
   * What a good answer is, `whole` where it holds everything by zone: `told` where it is to be counted, `none` where the
   * target has nothing by zone, undefined where it is not their turn or can't be told.
   */
  turn(whole: boolean): 'told' | 'none' | undefined {
    if (this.every === 0) return undefined;
    if (this.known.size === 0) return this.any || !whole ? undefined : 'none';
    if (!whole || this.untilNext > 0) {
      this.untilNext--;
      return undefined;
    }
    this.untilNext = this.every - 1;
    return 'told';
  }
}
