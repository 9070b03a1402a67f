/** What `/server_info` tells about an Envoy (JSON since 1.9, the node since 1.16). */
export interface ServerInfo {
  /** Semantic version such as `1.40.0`; empty when the version text has another shape. */
  readonly version: string;
  /** Whole seconds since this process started, cut off. */
  readonly uptimeSeconds: number;
  readonly nodeId: string;
  readonly nodeCluster: string;
  readonly region: string;
  readonly zone: string;
}

/** Up to 31 years: no Envoy is older than that. */
const UPTIME = /^(\d{1,9})s$/;

/** Undefined when the body is not a `/server_info` answer. */
export function parseServerInfo(body: Buffer): ServerInfo | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  const uptime = UPTIME.exec(textAt(parsed, 'uptime_current_epoch'));
  if (!uptime) return undefined;
  return {
    version: textAt(parsed, 'version').split('/')[1] ?? '',
    uptimeSeconds: Number(uptime[1]),
    nodeId: textAt(parsed, 'node', 'id') || textAt(parsed, 'command_line_options', 'service_node'),
    nodeCluster: textAt(parsed, 'node', 'cluster') || textAt(parsed, 'command_line_options', 'service_cluster'),
    region: textAt(parsed, 'node', 'locality', 'region'),
    zone: textAt(parsed, 'node', 'locality', 'zone') || textAt(parsed, 'command_line_options', 'service_zone'),
  };
}

/** The text at a path of keys; empty when there is none. */
function textAt(value: unknown, ...path: string[]): string {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return '';
    current = (current as Record<string, unknown>)[key];
  }
  return typeof current === 'string' ? current : '';
}
