import { type Matcher, RE2JS } from 're2js';

/** The service behind a cluster; the namespace is empty where the name doesn't tell it. */
export interface PeerName {
  readonly service: string;
  readonly namespace: string;
}

/** The user's own rules (`peers` and `local` of the configuration); they beat what is built in. */
export interface NamingRules {
  peerOf(cluster: string): PeerName | undefined;
  isLocal(cluster: string): boolean;
}

export const NO_RULES: NamingRules = { peerOf: () => undefined, isLocal: () => false };

/**
 * Rules from RE2 patterns, which match the whole name. `$1`, `${1}`, `$name` and `${name}` in a service stand for
 * the pattern's groups, `$$` for a dollar sign. A rule that would give an empty name is passed over.
 * @throws when a pattern is not RE2; the configuration has been checked before.
 */
export function compileNamingRules(
  peers: readonly { match: string; service: string }[],
  local: readonly string[],
): NamingRules {
  const peerRules = peers.map(({ match, service }) => ({ pattern: RE2JS.compile(match), service }));
  const localRules = local.map((pattern) => RE2JS.compile(pattern));
  return {
    isLocal: (cluster) => localRules.some((pattern) => pattern.matches(cluster)),
    peerOf(cluster) {
      for (const { pattern, service } of peerRules) {
        const matcher = pattern.matcher(cluster);
        if (!matcher.matches()) continue;
        const named = service.replaceAll(GROUP, (whole, braced, plain) =>
          whole === '$$' ? '$' : groupText(matcher, braced ?? plain),
        );
        if (named !== '') return { service: named, namespace: '' };
      }
      return undefined;
    },
  };
}

const GROUP = /\$\$|\$(?:\{(\w+)\}|(\w+))/g;

function groupText(matcher: Matcher, group: string): string {
  return matcher.group(/^\d+$/.test(group) ? Number(group) : group) ?? '';
}
