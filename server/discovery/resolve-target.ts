import type { Target } from '../model/discovered-target.ts';
import type { Labels } from '../model/labels.ts';
import type { Reach } from '../model/reach.ts';
import { formatTargetAddress, parseTargetAddress } from '../model/target.ts';
import type { Endpoint, TargetGroup } from './discoverer.ts';
import { ignoredLabels } from './ignored-labels.ts';
import type { Relabel } from './relabel.ts';

/** Something that was found and is no target. */
export interface Dropped {
  readonly discoveredLabels: Labels;
  readonly reason: string;
}

/** What a group comes to. */
export interface ResolvedGroup {
  readonly targets: readonly Target[];
  readonly dropped: readonly Dropped[];
}

/** How the endpoints of an entry become targets. */
export interface ResolveRules {
  /** The entry's own rules, then those of `discovery.relabel`. */
  readonly relabel: readonly { readonly apply: Relabel; readonly reason: (rule: number) => string }[];
  /** For targets whose mechanism knows no better; undefined is plain HTTP. */
  readonly reach: Reach | undefined;
  /** Scheme of addresses without one. */
  readonly scheme: 'http' | 'https';
}

const MAX_LABELS = 64;
const MAX_NAME = 256;
const MAX_VALUE = 1024;

export function resolveGroup(group: TargetGroup, rules: ResolveRules): ResolvedGroup {
  const targets: Target[] = [];
  const dropped: Dropped[] = [];
  for (const endpoint of group.targets) {
    const resolved = resolveEndpoint(endpoint, rules);
    if ('reason' in resolved) dropped.push(resolved);
    else targets.push(resolved);
  }
  for (const { labels, reason } of group.excluded ?? []) dropped.push({ discoveredLabels: labels, reason });
  return { targets, dropped };
}

function resolveEndpoint(endpoint: Endpoint, rules: ResolveRules): Target | Dropped {
  const discoveredLabels: Labels = {
    ...endpoint.labels,
    __address__: endpoint.address,
    ...(rules.scheme === 'https' && endpoint.labels.__scheme__ === undefined ? { __scheme__: 'https' } : {}),
  };
  let labels = discoveredLabels;
  for (const { apply, reason } of rules.relabel) {
    const result = apply(labels);
    if ('droppedBy' in result) return { discoveredLabels, reason: reason(result.droppedBy) };
    labels = result.labels;
  }
  const parsed = parseTargetAddress(addressOf(labels));
  if (!parsed.ok) return { discoveredLabels, reason: `its address can't be used: ${parsed.error}` };
  const kept = visibleLabels(labels);
  const problem = labelProblem(kept);
  if (problem !== undefined) return { discoveredLabels, reason: problem };
  const { __region__: region = '', __zone__: zone = '' } = labels;
  const reach = endpoint.reach ?? rules.reach;
  const note = ignoredLabels(labels);
  return {
    key: formatTargetAddress(parsed.address),
    address: parsed.address,
    labels: kept,
    discoveredLabels,
    ...(region === '' && zone === '' ? {} : { fallbackPlace: { region, zone } }),
    ...(note === '' ? {} : { note }),
    ...(reach === undefined ? {} : { reach }),
  };
}

function addressOf({ __address__: address = '', __scheme__: scheme = '' }: Labels): string {
  return scheme === '' || address.includes('://') || address.startsWith('unix:') ? address : `${scheme}://${address}`;
}

function visibleLabels(labels: Labels): Labels {
  const kept: Record<string, string> = {};
  for (const name in labels) {
    const value = labels[name];
    if (!name.startsWith('__') && value !== undefined && value !== '') kept[name] = value;
  }
  return kept;
}

function labelProblem(labels: Labels): string | undefined {
  let count = 0;
  for (const name in labels) {
    const value = labels[name] ?? '';
    if (++count > MAX_LABELS) return `more than ${MAX_LABELS} labels after relabelling: drop some with labeldrop`;
    if (name.length > MAX_NAME) return `a label's name of more than ${MAX_NAME} characters: ${name.slice(0, 40)}…`;
    if (value.length > MAX_VALUE)
      return `the label ${name} has ${value.length} characters; at most ${MAX_VALUE} are taken`;
  }
  const role = labels.role ?? '';
  if (role !== '' && role !== 'sidecar' && role !== 'gateway')
    return `the label role is ${JSON.stringify(role.slice(0, 40))}; it is one of sidecar, gateway`;
  return undefined;
}
