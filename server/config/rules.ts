import { formatDuration, parseDuration } from '../model/duration.ts';
import { formatTargetAddress, parseTargetAddress } from '../model/target.ts';
import { alertProblems } from './alert-rules.ts';
import { referenceProblem } from './mesh-fields.ts';
import { type KeyPath, type Origins, type Problem, valueAt } from './problem.ts';
import { DEFAULT_INTERVAL } from './schema.ts';

/** Breaches of the rules that concern several values at once; values that are wrong by themselves are passed over. */
export function brokenRules(tree: unknown, origins: Origins): Problem[] {
  return [
    ...timeoutProblems(tree, origins),
    ...peerProblems(tree),
    ...duplicateTargets(tree, origins),
    ...alertProblems(tree, origins),
  ];
}

function timeoutProblems(tree: unknown, origins: Origins): Problem[] {
  const path = ['scrape', 'timeout'];
  const interval = durationOf(valueAt(tree, ['scrape', 'interval']) ?? DEFAULT_INTERVAL);
  const timeout = durationOf(valueAt(tree, path));
  if (timeout === undefined || interval === undefined || timeout <= interval) return [];
  const origin = origins.exact(['scrape', 'interval']);
  const where = origin === undefined ? 'the default' : origins.place(origin, path);
  const message = `${formatDuration(timeout)} is longer than the interval, ${formatDuration(interval)} (${where}); write at most that`;
  return [{ path, message }];
}

function durationOf(value: unknown): number | undefined {
  return typeof value === 'string' ? parseDuration(value) : undefined;
}

function peerProblems(tree: unknown): Problem[] {
  return listAt(tree, ['peers']).flatMap((peer, index) => {
    const match = valueAt(peer, ['match']);
    const service = valueAt(peer, ['service']);
    if (typeof match !== 'string' || typeof service !== 'string') return [];
    const message = referenceProblem(match, service);
    return message === undefined ? [] : [{ path: ['peers', index, 'service'], message }];
  });
}

/** Addresses that are listed twice, over all groups and flags, however they are spelled. */
function duplicateTargets(tree: unknown, origins: Origins): Problem[] {
  const first = new Map<string, KeyPath>();
  return writtenTargets(tree).flatMap(({ address, path }) => {
    const earlier = first.get(address);
    first.set(address, earlier ?? path);
    if (earlier === undefined) return [];
    const where = origins.place(origins.nearest(earlier), path);
    return [{ path, message: `${address} is listed twice, here and ${where}; remove one` }];
  });
}

function writtenTargets(tree: unknown): { address: string; path: KeyPath }[] {
  return listAt(tree, ['discovery', 'static']).flatMap((group, groupIndex) =>
    listAt(group, ['targets']).flatMap((target, index) => {
      const parsed = typeof target === 'string' ? parseTargetAddress(target) : undefined;
      if (!parsed?.ok) return [];
      const path = ['discovery', 'static', groupIndex, 'targets', index];
      return [{ address: formatTargetAddress(parsed.address), path }];
    }),
  );
}

function listAt(tree: unknown, path: KeyPath): unknown[] {
  const value = valueAt(tree, path);
  return Array.isArray(value) ? value : [];
}
