/** What the fake collector says about itself. */

import type { OtlpStatus, RemoteWriteStatus, StorageStatus, StorageTier } from '../../../server/api/contract.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function tier(name: StorageTier['name'], stepMs: number, retentionMs: number, bytes: number): StorageTier {
  return { name, stepMs, retentionMs, keptMs: retentionMs, oldest: null, newest: null, bytes };
}

export const FAKE_STORAGE: StorageStatus = {
  path: 'data/sidelight.db',
  bytes: 412_000_000,
  usedBytes: 398_000_000,
  maxBytes: 10 * 2 ** 30,
  state: 'ok',
  message: '',
  failingSince: null,
  waiting: 0,
  lost: 0,
  notice: '',
  schemaVersion: 2,
  oldest: null,
  logRows: 2160,
  lagMs: 3100,
  threads: { lost: 0, last: null },
  tiers: [
    tier('raw', 15_000, 2 * HOUR, 61_000_000),
    tier('1m', 60_000, 2 * DAY, 214_000_000),
    tier('10m', 600_000, 30 * DAY, 88_000_000),
    tier('1h', HOUR, 400 * DAY, 35_000_000),
  ],
};

export const FAKE_STORAGE_FAILING: StorageStatus = {
  ...FAKE_STORAGE,
  usedBytes: 10.1e9,
  bytes: 10.6e9,
  state: 'failing',
  message: 'the disk is full: free some space, or set storage.max_size lower',
  waiting: 216,
  lost: 14,
  notice: 'storage.max_size of 10 GiB holds 1m for 31 h instead of 2 d: raise it, or keep less',
  lagMs: 95_000,
  threads: { lost: 0, last: null },
  tiers: FAKE_STORAGE.tiers.map((each) => (each.name === '1m' ? { ...each, keptMs: 31 * HOUR } : each)),
};

export const FAKE_REMOTE_WRITE: RemoteWriteStatus = {
  name: 'mimir',
  state: 'ok',
  message: '',
  failingSince: null,
  lastError: null,
  samplesSent: 18_204_311,
  samplesDropped: {},
  samplesPending: 0,
  requests: { success: 9121 },
  rounds: 1200,
  series: 15_170,
  queueBytes: 0,
  maxQueueBytes: 512 * 2 ** 20,
  lagMs: 0,
};

/** Since six minutes. */
export function fakeRemoteWriteFailing(now: number): RemoteWriteStatus {
  const reason = 'connect ECONNREFUSED 10.0.0.9:9009';
  return {
    ...FAKE_REMOTE_WRITE,
    state: 'failing',
    message: `it does not take samples: ${reason}`,
    failingSince: now - 360_000,
    lastError: { at: now - 4000, reason },
    samplesDropped: { refused: 12, full: 0 },
    samplesPending: 364_000,
    queueBytes: 9_400_000,
    lagMs: 360_000,
  };
}

export const FAKE_OTLP: OtlpStatus = {
  endpoint: 'http://otel-collector:4318',
  protocol: 'http/protobuf',
  temporality: 'delta',
  intervalMs: 60_000,
  acceptedAt: null,
  problem: 'HTTP status 401: set telemetry.otlp.headers',
  accepted: 0,
  rejected: 0,
  dropped: 4200,
  retries: 3,
};

export const FAKE_LIMITS: Readonly<Record<string, number>> = {
  scrapeTimeoutMs: 10_000,
  bodyBytes: 33_554_432,
  series: 20_000,
  concurrency: 256,
};

export const FAKE_CONFIG = {
  scrape: { interval: '15s', timeout: '10s', body_limit: '32MiB', series_limit: 20000, slow_down: true },
  discovery: {
    static: [
      { targets: ['10.0.0.5:9901', 'unix:/run/envoy.sock'], labels: { service: 'checkout', region: 'eu-west-1' } },
    ],
    file: [{ files: ['targets/*.yaml'] }],
    dns: [{ names: ['checkout.default.svc'], type: 'A', port: 9901, refresh: '30s', labels: {} }],
  },
  peers: [{ match: '^(.+)_v\\d+$', service: '$1' }],
  local: [],
  storage: { path: 'data/sidelight.db', retention: { raw: '2h', '1m': '2d', '10m': '30d', '1h': '400d' } },
  web: {
    listen: '127.0.0.1:9191',
    external_url: '',
    traceUrl: 'https://traces.example.com/search?service={service}&start={from}&end={to}',
  },
};
