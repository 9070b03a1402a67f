/** Which region a zone is in, by what the targets tell of themselves. */

import type { LiveTarget } from './live.ts';

export class ZoneRegions {
  private readonly regions = new Map<string, Set<string>>();

  constructor(targets: readonly LiveTarget[]) {
    for (const { identity } of targets) if (identity) this.add(identity.zone, identity.region);
  }

  add(zone: string, region: string): void {
    if (zone === '' || region === '') return;
    const known = this.regions.get(zone);
    if (known) known.add(region);
    else this.regions.set(zone, new Set([region]));
  }

  /** Undefined where no target told it, and where targets of several regions have a zone of that name. */
  regionOf(zone: string): string | undefined {
    const [region, ...others] = this.regions.get(zone) ?? [];
    return others.length === 0 ? region : undefined;
  }
}
