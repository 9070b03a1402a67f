/** Whether what alert rules look back at is kept so long, and in steps that are short enough. */

import { formatDuration, parseDuration } from '../model/duration.ts';
import { type KeyPath, type Origins, type Problem, valueAt } from './problem.ts';
import { DEFAULT_RETENTION } from './schema.ts';

const MINUTE_MS = 60_000;
const DEFAULT_WINDOW = '5m';
const DEFAULT_PERIOD = '30d';
/** The longest of the windows in which an error budget may burn. */
const LONGEST_BURN = '3d';

/** Finest first; the steps of the first follow from the scrape interval, and those of the others are never shorter than it. */
const TIERS = [
  { name: 'raw', stepMs: 0, instances: true },
  { name: '1m', stepMs: MINUTE_MS, instances: true },
  { name: '10m', stepMs: 10 * MINUTE_MS, instances: false },
  { name: '1h', stepMs: 60 * MINUTE_MS, instances: false },
] as const;

interface Kept {
  readonly name: (typeof TIERS)[number]['name'];
  readonly stepMs: number;
  readonly instances: boolean;
  readonly forMs: number;
}

/** Something of a rule that reaches back, and the key that says so. */
interface Reach {
  readonly path: KeyPath;
  readonly words: string;
  readonly ms: number;
}

/** What a rule looks back at that is not kept, or not in steps short enough. */
export function windowProblems(tree: unknown, rule: unknown, path: KeyPath, origins: Origins): Problem[] {
  const tiers = TIERS.flatMap((tier): Kept[] => {
    const forMs = durationAt(tree, ['storage', 'retention', tier.name], DEFAULT_RETENTION[tier.name]);
    return forMs === undefined ? [] : [{ ...tier, forMs }];
  });
  const reaches = reachesOf(rule, path);
  if (tiers.length < TIERS.length || !reaches) return [];
  const where = (tier: Kept) => placeOf(tier, path, origins);
  const tooFar = reaches.flatMap((reach) => [
    ...reachProblems(reach, longest(tiers), { what: 'figures are kept', where }),
    ...(asksInstances(rule)
      ? reachProblems(reach, longest(tiers.filter(({ instances }) => instances)), {
          what: 'instances are told apart',
          where,
        })
      : []),
  ]);
  return tooFar.length > 0 ? tooFar.slice(0, 1) : stepProblems(rule, { path, tiers, where });
}

/** Undefined where something is wrong by itself. */
function reachesOf(rule: unknown, path: KeyPath): Reach[] | undefined {
  const slo = valueAt(rule, ['slo']);
  if (slo !== undefined && slo !== null) {
    const period = durationAt(slo, ['period'], DEFAULT_PERIOD);
    const burn = parseDuration(LONGEST_BURN) ?? 0;
    if (period === undefined) return undefined;
    const whole = { path: [...path, 'slo', 'period'], words: formatDuration(period), ms: period };
    const burning = { path: [...path, 'slo'], words: `an objective looks back ${LONGEST_BURN}, which`, ms: burn };
    return asksInstances(rule) ? [burning] : [burning, whole];
  }
  const window = durationAt(rule, ['window'], DEFAULT_WINDOW);
  const against = durationAt(rule, ['against'], '0');
  if (window === undefined || against === undefined) return undefined;
  const own = { path: [...path, 'window'], words: formatDuration(window), ms: window };
  if (against === 0) return [own];
  const words = `${formatDuration(against)} ago with a window of ${formatDuration(window)}`;
  return [own, { path: [...path, 'against'], words, ms: against + window }];
}

function reachProblems(
  { path, words, ms }: Reach,
  kept: Kept,
  { what, where }: { what: string; where: (tier: Kept) => string },
): Problem[] {
  if (ms <= kept.forMs) return [];
  const message = `${words} is longer than ${what}, ${formatDuration(kept.forMs)} (${where(kept)}); look back less far, or keep more`;
  return [{ path, message }];
}

/** What is compared with must be kept in steps that the window is no shorter than. */
function stepProblems(
  rule: unknown,
  { path, tiers, where }: { path: KeyPath; tiers: readonly Kept[]; where: (tier: Kept) => string },
): Problem[] {
  const window = durationAt(rule, ['window'], DEFAULT_WINDOW) ?? 0;
  const against = durationAt(rule, ['against'], '0') ?? 0;
  if (against === 0) return [];
  const index = tiers.findIndex(({ forMs }) => forMs >= against + window);
  const [tier, finer] = [tiers[index], tiers[index - 1]];
  if (!tier || !finer || window >= tier.stepMs) return [];
  const ago = formatDuration(against);
  const message = `${formatDuration(window)} is shorter than the steps of ${formatDuration(tier.stepMs)} in which figures of ${ago} ago are kept; write ${formatDuration(tier.stepMs)}, or keep ${finer.name} for longer than ${ago}, not ${formatDuration(finer.forMs)} (${where(finer)})`;
  return [{ path: [...path, 'window'], message }];
}

function asksInstances(rule: unknown): boolean {
  const by = valueAt(rule, ['by']);
  return (Array.isArray(by) && by.includes('instance')) || valueAt(rule, ['match', 'instance']) !== undefined;
}

function longest(tiers: readonly Kept[]): Kept {
  return tiers.reduce((most, tier) => (tier.forMs > most.forMs ? tier : most));
}

function placeOf({ name }: Kept, path: KeyPath, origins: Origins): string {
  const key: KeyPath = ['storage', 'retention', name];
  const origin = origins.exact(key);
  return `storage.retention.${name}, ${origin === undefined ? 'the default' : origins.place(origin, path)}`;
}

function durationAt(tree: unknown, path: KeyPath, usual: string): number | undefined {
  const value = valueAt(tree, path) ?? usual;
  return typeof value === 'string' ? parseDuration(value) : undefined;
}
