/** Results of scrapes made by hand: what an Envoy answers that counts one service's requests. */

import type { ServerInfo } from '../../server/envoy/server-info.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import type { Target } from '../../server/model/discovered-target.ts';
import type { ScrapeResult } from '../../server/scrape/scrape-loop.ts';
import { discovered } from '../live/live-targets.ts';

export const TARGET = discovered('10.0.0.1:9901', { service: 'shop' });

interface Answered {
  readonly at: number;
  /** When the Envoy started. */
  readonly startedAt: number;
  /** All requests that it has counted. */
  readonly requests: number;
  readonly target?: Target;
  /** What it calls itself. */
  readonly node?: string;
}

export function goodResult({ at, startedAt, requests, target = TARGET, node = '' }: Answered): ScrapeResult {
  const info: ServerInfo = {
    version: '1.40.0',
    uptimeSeconds: Math.floor((at - startedAt) / 1000),
    nodeId: node,
    nodeCluster: '',
    region: '',
    zone: '',
  };
  const body = Buffer.from(
    [
      `http.ingress.downstream_rq_2xx: ${requests}`,
      `http.ingress.downstream_rq_completed: ${requests}`,
      'http.ingress.downstream_rq_time:',
      `  totals=20,1:${requests}`,
      '  intervals=',
      '  summary=P0(nan,1)',
      '',
    ].join('\n'),
  );
  const managers = new Set(['ingress']);
  const reading = new TextStatsReader().read(body);
  const good = { reading, precision: 'bins' as const, at, bodyBytes: body.length, info, infoAt: at, managers };
  return { target, at, durationMs: 1, error: '', good };
}

export function failedResult(at: number): ScrapeResult {
  return { target: TARGET, at, durationMs: 1, error: 'nothing listens there', good: undefined };
}
