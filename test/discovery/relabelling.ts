import type { RelabelRule } from '../../server/config/config.ts';
import { parseConfig } from '../../server/config/load.ts';
import { compileRelabel } from '../../server/discovery/relabel.ts';
import { resolveGroup } from '../../server/discovery/resolve-target.ts';
import type { Labels } from '../../server/model/labels.ts';

/** Rules as the configuration understands them. */
export function rulesOf(rules: readonly object[]): readonly RelabelRule[] {
  const loaded = parseConfig(JSON.stringify({ discovery: { relabel: rules } }), 'conf.yaml');
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  return loaded.config.discovery.relabel;
}

/** Labels that a target at `address` has in the end; null when a rule drops it. */
export function relabelled(rules: readonly object[], before: Labels, address = '127.0.0.1:9901'): Labels | null {
  const relabel = [{ apply: compileRelabel(rulesOf(rules)), reason: (rule: number) => `rule ${rule}` }];
  const group = { source: 's', targets: [{ address, labels: before }] };
  const { targets, dropped } = resolveGroup(group, { relabel, reach: undefined, scheme: 'http' });
  if (dropped[0] && !dropped[0].reason.startsWith('rule ')) throw new Error(dropped[0].reason);
  return targets[0]?.labels ?? null;
}
