/** What a sidecar is asked for: GET only, and only these paths. */

import type { StatsReader } from './stats.ts';
import { JsonStatsReader } from './stats-json.ts';
import { TextStatsReader } from './stats-text.ts';

/** Final words of the stats that hold request figures; RE2, matched by Envoy itself. */
const STAT_FILTER = [
  '(_rq_([1-5]xx|completed|total|active|time|timeout|per_try_timeout|idle_timeout|max_duration_reached|retry',
  '|retry_success|retry_overflow|retry_limit_exceeded|[rt]x_reset|pending_active|pending_overflow|active_overflow',
  '|pending_failure_eject|maintenance_mode|overload_close)',
  '|_cx_(active|total|connect_fail|connect_timeout|none_healthy|overflow|protocol_error',
  '|destroy_(local|remote)_with_active_rq|[rt]x_bytes_total)',
  '|membership_(total|healthy)|\\.no_(route|cluster)|\\.rate_limited|s_injected|\\.grpc\\..*\\.(\\d+|success|failure|total)',
  '|ejections_active|expiration_unix_time_seconds|server\\.(uptime|hot_restart_epoch))$',
].join('');

const QUERY = `histogram_buckets=detailed&usedonly&filter=${escapeFilter(STAT_FILTER)}`;

/** A way to ask for `/stats`, and what reads the answer. */
export interface StatsForm {
  readonly name: 'text' | 'json';
  readonly path: string;
  /** Start of the content type that such an answer has. */
  readonly contentType: string;
  reader(): StatsReader;
}

/** Forms from the cheapest to the dearest; a target that refuses one is asked in the next. */
export const STATS_FORMS: readonly [StatsForm, ...StatsForm[]] = [
  { name: 'text', path: `/stats?${QUERY}`, contentType: 'text/plain', reader: () => new TextStatsReader() },
  {
    name: 'json',
    path: `/stats?format=json&${QUERY}`,
    contentType: 'application/json',
    reader: () => new JsonStatsReader(),
  },
];

export const SERVER_INFO_PATH = '/server_info';

/**
 * All connection managers, those without a request so far included (`usedonly` hides them).
 * Asked together with /server_info, at first sight and after a restart.
 */
export const CONNECTION_MANAGERS_PATH = `/stats?filter=${escapeFilter('^http\\..*\\.downstream_rq_completed$')}`;

/** Envoy decodes percent signs since 1.16; only what a request target may not hold is escaped. */
function escapeFilter(pattern: string): string {
  return pattern.replaceAll(/[[\]\\+^|]/g, (character) => encodeURIComponent(character));
}
