/** Targets that went between two pushes: what they counted after the last one is still to be told. */

import type { LiveTarget } from '../../live/live.ts';
import type { Accepted } from './accepted.ts';

/** More are not told any more: nobody is to be without memory because many pods go while a receiver is away. */
const MOST_KEPT = 1000;

export class DepartedTargets {
  private readonly accepted: Accepted;
  private before: readonly LiveTarget[] = [];

  constructor(accepted: Accepted) {
    this.accepted = accepted;
  }

  /** @param current keys of the targets that there are now. */
  since(targets: readonly LiveTarget[], current: ReadonlySet<string>): LiveTarget[] {
    const gone = this.before
      .filter((one) => one.health !== 'unknown' && !current.has(one.target.key) && !this.accepted.hasAll(one))
      .slice(-MOST_KEPT);
    this.before = [...gone, ...targets];
    return gone;
  }
}
