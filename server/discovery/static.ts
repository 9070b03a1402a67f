import type { Target } from '../model/discovered-target.ts';
import type { Labels } from '../model/labels.ts';
import { formatTargetAddress, parseTargetAddress } from '../model/target.ts';

/** Targets that are listed in the configuration; addresses have been checked when it was loaded. */
export function staticTargets(groups: readonly { targets: readonly string[]; labels: Labels }[]): Target[] {
  return groups.flatMap(({ targets, labels }) =>
    targets.map((text) => {
      const parsed = parseTargetAddress(text);
      if (!parsed.ok) throw new Error(`target ${text}: ${parsed.error}`);
      const key = formatTargetAddress(parsed.address);
      return { key, address: parsed.address, labels, discoveredLabels: { ...labels, __address__: key } };
    }),
  );
}
