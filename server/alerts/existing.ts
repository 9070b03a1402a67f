import type { LiveTarget } from '../live/live.ts';
import type { Labels } from '../model/labels.ts';

const PLACES = ['service', 'namespace', 'instance', 'region', 'zone'] as const;

/** Whether some target has the labels of an alert, as far as those are a target's. */
export function existing(targets: readonly LiveTarget[]): (labels: Labels) => boolean {
  return (labels) =>
    targets.some(({ identity, target }) =>
      PLACES.every((name) => {
        const wanted = labels[name];
        if (wanted === undefined) return true;
        return identity?.[name] === wanted || (name === 'instance' && wanted === target.key);
      }),
    );
}
