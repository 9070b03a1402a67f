/** The real API on a real store, on loopback. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AlertsView } from '../../server/api/alerts.ts';
import { type ApiParts, createApp } from '../../server/api/app.ts';
import { EventStream } from '../../server/api/events.ts';
import { Live, type RememberedTarget } from '../../server/live/live.ts';
import type { Target } from '../../server/model/discovered-target.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import type { StoreStatus } from '../../server/store/store.ts';
import { WebServer } from '../../server/web-server/web-server.ts';
import { storeOptions } from '../store/options.ts';
import { checkAnswer } from './described.ts';
import { INTERVAL, NOW } from './meshes.ts';

export interface MeshData {
  readonly targets: readonly Target[];
  readonly remembered?: readonly RememberedTarget[];
  readonly records: readonly ScrapeRecord[];
}

export interface RunningApi {
  readonly url: string;
  readonly live: Live;
  readonly events: EventStream;
  /** What the API reported as its own failures. */
  readonly failures: unknown[];
  /** The JSON answer, checked against the OpenAPI description. */
  get<Answer>(path: string): Promise<Answer>;
  stop(): Promise<void>;
}

const EMPTY: MeshData = { targets: [], records: [] };

export async function startApi(data: MeshData = EMPTY, parts: Partial<ApiParts> = {}): Promise<RunningApi> {
  const folder = await mkdtemp(join(tmpdir(), 'sidelight-api-'));
  const store = await SqliteStore.open(storeOptions(join(folder, 'sidelight.db')));
  await store.append(data.records);
  const live = new Live();
  live.setTargets(data.targets, data.remembered ?? []);
  live.apply(data.records);
  const events = new EventStream();
  const failures: unknown[] = [];
  const app = createApp({
    store,
    live,
    events,
    intervalMs: () => INTERVAL,
    measuredTo: () => NOW,
    discovery: { dropped: () => ({ list: [], total: 0 }), note: () => '', states: () => [] },
    reload: () => [],
    now: () => NOW,
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', pieces: ['up 1\n'].values() }),
    metricsRefusals: [],
    status: async () => statusOf(await store.status()),
    alerts: NO_ALERTS,
    notReady: () => '',
    webFolder: join(folder, 'web'),
    onError: (error) => failures.push(error),
    ...parts,
  });
  const server = new WebServer({ handler: app, limits: { connections: 1000 } });
  await server.listen({ host: '127.0.0.1', port: 0 });
  const { url } = server;
  return {
    url,
    live,
    events,
    failures,
    async get<Answer>(path: string) {
      const response = await fetch(url + path);
      const body: Answer = await response.json();
      checkAnswer(path, response, body);
      if (response.status !== 200) throw new Error(`${path} was answered with ${response.status}`);
      return body;
    },
    async stop() {
      events.close();
      await server.close();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** A fake: nobody watches anything. */
export const NO_ALERTS: AlertsView = {
  counts: () => new Map(),
  alerts: () => [],
  rules: () => ({ at: NOW, intervalMs: INTERVAL, durationMs: null, rules: [] }),
  history: async () => [],
  firings: async () => [],
  test: async ({ window, maxAlerts }) => ({ from: 0, to: 0, window, maxAlerts, parts: [], rules: [] }),
};

type Status = Awaited<ReturnType<ApiParts['status']>>;

function statusOf({ tiers, ...store }: StoreStatus): Status {
  const state = {
    state: 'ok',
    message: '',
    failingSince: null,
    waiting: 0,
    lost: 0,
    lagMs: null,
    threads: { lost: 0, last: null },
  } as const;
  return {
    build: { version: '0.1.0', node: process.version },
    startedAt: NOW - 1000,
    now: NOW,
    scrape: { intervalMs: INTERVAL, timeoutMs: 5000, targets: 0, up: 0, down: 0 },
    storage: { ...store, ...state, tiers: tiers.map((tier) => ({ ...tier })) },
    retention: { raw: 7_200_000 },
    limits: { concurrency: 256 },
    reload: { at: NOW, goodAt: NOW, errors: [] },
    discovery: [],
    remoteWrite: [],
    otlp: null,
    config: {},
  };
}
