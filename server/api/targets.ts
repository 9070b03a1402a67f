import type { LiveTarget } from '../live/live.ts';
import type { TargetStatus, TargetsAnswer } from './contract.ts';
import { type Filters, passes } from './params.ts';
import { compare } from './services.ts';

/** Every target that passes the filters, with what it said of itself and how its last scrape went. */
export function listTargets(targets: readonly LiveTarget[], filters: Filters): TargetsAnswer {
  const rows = targets.map(targetStatus).filter(({ labels }) => passes(filters, labels));
  rows.sort(
    (a, b) =>
      compare(a.labels.service ?? '', b.labels.service ?? '') ||
      compare(a.labels.instance ?? '', b.labels.instance ?? ''),
  );
  return { targets: rows, dropped: [] };
}

function targetStatus(live: LiveTarget): TargetStatus {
  const { target, identity } = live;
  return {
    labels: { ...target.labels, ...shown(identity), address: target.key },
    discoveredLabels: { ...target.discoveredLabels },
    health: live.health,
    lastError: live.lastError,
    lastScrape: live.lastScrape,
    scrapeDurationMs: live.durationMs === null ? null : Math.round(live.durationMs * 1000) / 1000,
    bodyBytes: live.bodyBytes,
    samples: live.samples,
    envoyVersion: live.envoyVersion,
    precision: live.precision,
    failureSource: live.failureSource,
    clusters: live.clusters && { ...live.clusters, durationMs: Math.round(live.clusters.durationMs * 1000) / 1000 },
  };
}

function shown(identity: LiveTarget['identity']): Record<string, string> {
  return Object.fromEntries(Object.entries(identity ?? {}).filter(([, value]) => value !== ''));
}
