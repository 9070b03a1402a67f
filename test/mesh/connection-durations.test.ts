/** How long bare connections lasted: of which clusters, and from which scrape on. */

import { expect, test } from 'vitest';
import { connectionsKey } from '../../server/mesh/connection-mesh.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { TargetMesh } from '../../server/mesh/target-mesh.ts';
import type { StoredTarget } from '../../server/model/scrape-record.ts';
import { readingOf } from '../envoy/stats-body.ts';
import { infoOf } from './scraped-target.ts';

const ADDRESS = '10.0.0.5:9901';
const MINUTE = 60_000;
const START = 1_700_000_000_000;
const HTTP = {
  'cluster.web.membership_total': 1,
  'cluster.web.upstream_cx_total': 3,
  'cluster.web.upstream_cx_http1_total': 3,
  'cluster.web.upstream_rq_2xx': 9,
};
const ended = (count: number) => ({ 7: count });

/** Connections that ended by cluster; of a database, of the application behind the sidecar, and of an HTTP service. */
interface Ended {
  readonly database?: number;
  readonly local_app?: number;
  readonly web?: number;
}

function readingAt(counts: Ended) {
  const bare = Object.keys(counts).filter((cluster) => cluster !== 'web');
  const scalars = bare.flatMap((cluster) => [
    [`cluster.${cluster}.membership_total`, 1],
    [`cluster.${cluster}.upstream_cx_total`, 5],
  ]);
  const histograms = Object.entries(counts).map(([cluster, count]) => [
    `cluster.${cluster}.upstream_cx_length_ms`,
    ended(count),
  ]);
  return readingOf({
    scalars: { ...HTTP, ...Object.fromEntries(scalars) },
    histograms: {
      'cluster.web.upstream_rq_time': ended(9),
      ...Object.fromEntries(histograms),
    },
  });
}

class Target {
  private storedConnections: StoredTarget | undefined;
  private stored: StoredTarget | undefined;
  private mesh = this.newMesh();

  /** Samples by direction and peer, and from when on; nothing where it was not told. */
  scrape(minute: number, counts: Ended, { asked = 'told', started = START - MINUTE }: Asked = {}) {
    const at = START + minute * MINUTE;
    const scraped = {
      reading: readingAt(counts),
      precision: 'bins' as const,
      at,
      info: infoOf(started, at),
      infoAt: at,
      managers: new Set<string>(),
      previousRound: at - MINUTE,
      ...(asked === 'no' ? {} : { connections: asked }),
    };
    const ordinary = this.mesh.observe(scraped);
    this.stored = { target: ADDRESS, lastScrape: at, identity: ordinary.observation.identity, ...ordinary };
    expect(ordinary.observation.flows.map(({ flow }) => flow.direction)).not.toContain('outbound_connections');
    expect([...ordinary.flowTotals].map(({ flow }) => flow.direction)).not.toContain('inbound_connections');
    const findings = this.mesh.observeConnections(scraped);
    if (!findings) return undefined;
    const { identity, from, to, flows } = findings.observation;
    this.storedConnections = { target: connectionsKey(ADDRESS), lastScrape: at, identity, ...findings };
    expect([to, findings.flowTotals.size]).toEqual([at, 0]);
    const told = flows.map(({ flow: { direction, peer }, counters, bins }) => {
      expect([...counters].every((count) => count === 0)).toBe(true);
      return [`${direction} ${peer}`.trim(), bins.counts.reduce((sum, count) => sum + count, 0)];
    });
    return { from: Math.round((from - START) / MINUTE), ...Object.fromEntries(told) };
  }

  restartCollector(): void {
    this.mesh = this.newMesh();
  }

  private newMesh(): TargetMesh {
    return new TargetMesh({
      labels: {},
      address: ADDRESS,
      host: '10.0.0.5',
      rules: NO_RULES,
      seriesLimit: 1000,
      stored: structuredClone(this.stored),
      storedConnections: structuredClone(this.storedConnections),
    });
  }
}

interface Asked {
  readonly asked?: 'told' | 'none' | 'no';
  readonly started?: number;
}

const OUT = 'outbound_connections database';
const IN = 'inbound_connections';

test('bare connections by direction and peer; those that carry requests are none', () => {
  const target = new Target();
  target.scrape(0, { database: 2, local_app: 1, web: 3 });
  expect(target.scrape(1, { database: 6, local_app: 2, web: 8 })).toEqual({ from: 0, [OUT]: 4, [IN]: 1 });
  expect(target.scrape(2, { database: 6, local_app: 2, web: 9 })).toEqual({ from: 1, [OUT]: 0, [IN]: 0 });
});

test('what an earlier answer was not asked for is no growth', () => {
  const target = new Target();
  expect(target.scrape(0, { database: 2 }, { asked: 'no' })).toBeUndefined();
  expect(target.scrape(1, { database: 5 })).toEqual({ from: 1, [OUT]: 0 });
  expect(target.scrape(2, { database: 6 })).toEqual({ from: 1, [OUT]: 1 });
});

test('of a target that had no bare connection, the first ones count since the last scrape without', () => {
  const target = new Target();
  expect(target.scrape(0, {}, { asked: 'none' })).toBeUndefined();
  expect(target.scrape(1, {}, { asked: 'none' })).toBeUndefined();
  expect(target.scrape(2, { database: 1 }, { asked: 'no' })).toBeUndefined();
  expect(target.scrape(3, { database: 4 })).toEqual({ from: 1, [OUT]: 4 });
});

test('a cluster that comes up later counts from zero', () => {
  const target = new Target();
  target.scrape(0, { database: 2 });
  expect(target.scrape(1, { database: 2, local_app: 3 })).toEqual({ from: 0, [OUT]: 0, [IN]: 3 });
});

test('a restart of the collector loses no connection, though its first answer does not tell', () => {
  const target = new Target();
  target.scrape(0, { database: 2 });
  target.restartCollector();
  expect(target.scrape(5, { database: 4 }, { asked: 'no' })).toBeUndefined();
  expect(target.scrape(6, { database: 5 })).toEqual({ from: 0, [OUT]: 3 });
});

test('a restart of Envoy counts from zero', () => {
  const target = new Target();
  target.scrape(0, { database: 2 });
  expect(target.scrape(2, { database: 3 }, { started: START + MINUTE })).toEqual({ from: 1, [OUT]: 3 });
});
