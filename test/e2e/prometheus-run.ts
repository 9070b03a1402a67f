import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { TargetsAnswer } from '../../server/api/contract.ts';
import { type RunningPrometheus, startPrometheus } from '../running-prometheus.ts';
import { type AnsweringServer, listening } from './answering-server.ts';
import { getJson, startTestCollector, type TestCollector } from './collector.ts';
import { startTestMesh, type TestMesh } from './mesh.ts';

/** A busy machine takes its time; each of these waits ends as soon as what it waits for is so. */
export const PATIENT = { timeout: 20_000, interval: 100 };

/** What metrics begin with that were scraped in OpenMetrics, and in plain text. */
export const PREFIXES = ['', 'text_'] as const;
export type Prefix = (typeof PREFIXES)[number];

/** The program of a Prometheus 3; Debian's, 2.42, asks for no native histograms. */
export const PROMETHEUS3 = process.env.PROMETHEUS3;

type Stop = () => Promise<unknown>;

const CONFIG_FILE = 'sidelight.yaml';

/**
 * The three services, a collector on them with a configuration file, and a real Prometheus that scrapes the collector:
 * as `mesh_…` in the format it asks for, as `text_mesh_…` in plain text, and the Envoys that http_sd tells it of.
 */
export class PrometheusRun {
  readonly mesh: TestMesh;
  readonly collector: TestCollector;
  readonly prometheus: RunningPrometheus;
  /** Prometheus 3, which takes native histograms, where PROMETHEUS3 names its program. */
  readonly withNative: RunningPrometheus | undefined;
  /** Prometheus 3 that the collector pushes to by OTLP, likewise. */
  readonly byOtlp: RunningPrometheus | undefined;
  /** Of the answers that Prometheus got. */
  readonly contentTypes: ReadonlySet<string>;
  readonly #folder: string;
  readonly #receivers: Receivers;
  readonly #stops: readonly Stop[];

  private constructor(
    {
      mesh,
      collector,
      prometheus,
      withNative,
      byOtlp,
      contentTypes,
    }: Pick<PrometheusRun, 'mesh' | 'collector' | 'prometheus' | 'withNative' | 'byOtlp' | 'contentTypes'>,
    { folder, stops, receivers }: { folder: string; stops: readonly Stop[]; receivers: Receivers },
  ) {
    this.mesh = mesh;
    this.collector = collector;
    this.prometheus = prometheus;
    this.withNative = withNative;
    this.byOtlp = byOtlp;
    this.contentTypes = contentTypes;
    this.#folder = folder;
    this.#receivers = receivers;
    this.#stops = stops;
  }

  /** Resolves when Prometheus has scraped every sidecar's figures; leaves nothing behind when that fails. */
  static async start(): Promise<PrometheusRun> {
    const stops: Stop[] = [];
    try {
      return await PrometheusRun.#start(stops);
    } catch (error) {
      await stopAll(stops);
      throw error;
    }
  }

  static async #start(stops: Stop[]): Promise<PrometheusRun> {
    const folder = await mkdtemp(join(tmpdir(), 'sidelight-prometheus-run-'));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    const mesh = await startTestMesh('three-services');
    stops.push(() => mesh.stop());
    const byOtlp = PROMETHEUS3 ? await startOtlpReceiver(PROMETHEUS3) : undefined;
    stops.push(async () => byOtlp?.stop());
    const taking = await startFakeReceiver();
    stops.push(() => taking.stop());
    const remoteWrite = `http://127.0.0.1:${taking.port}`;
    const receivers = { remoteWrite, otlp: byOtlp ? `${byOtlp.url}/api/v1/otlp` : remoteWrite };
    await writeConfig(folder, mesh.targets, receivers);
    const files = { configFile: join(folder, CONFIG_FILE), storagePath: join(folder, 'sidelight.db') };
    const collector = await startTestCollector({ ...files, targets: [], intervalSeconds: 1 });
    stops.push(() => collector.terminate());
    const contentTypes = new Set<string>();
    const relay = await startRelay(collector.url, contentTypes);
    stops.push(() => relay.stop());
    const prometheus = await startPrometheus(prometheusConfig(collector.url, relay.port));
    stops.push(() => prometheus.stop());
    const withNative = PROMETHEUS3
      ? await startPrometheus(nativeConfig(relay.port), { program: PROMETHEUS3 })
      : undefined;
    stops.push(async () => withNative?.stop());
    await vi.waitFor(async () => {
      for (const prefix of PREFIXES)
        expect(await prometheus.query(`${prefix}mesh_sidecar_up == 1`)).toHaveLength(mesh.targets.length);
    }, PATIENT);
    const parts = { mesh, collector, prometheus, withNative, byOtlp, contentTypes };
    return new PrometheusRun(parts, { folder, stops, receivers });
  }

  api<T>(path: string): Promise<T> {
    return getJson<T>(`${this.collector.url}/api/v1/${path}`);
  }

  /** When Prometheus took last what it knows of the mesh now, in this format, in Unix milliseconds. */
  async lastScrape(prefix: Prefix): Promise<number> {
    const [sample] = await this.prometheus.query(`max(timestamp(${prefix}mesh_sidecar_up))`);
    return Math.round((sample?.value ?? Number.NaN) * 1000);
  }

  /** Waits until the collector has scraped every sidecar after that moment. */
  async scrapedSince(moment: number): Promise<void> {
    await vi.waitFor(async () => {
      const { targets } = await this.api<TargetsAnswer>('targets');
      expect(Math.min(...targets.map(({ lastScrape }) => lastScrape ?? 0))).toBeGreaterThan(moment);
    }, PATIENT);
  }

  /** Takes a sidecar out of the configuration, and has it read again. */
  async removeTarget(address: string): Promise<void> {
    const left = this.mesh.targets.filter((target) => target.address !== address);
    await writeConfig(this.#folder, left, this.#receivers);
    const { status } = await fetch(`${this.collector.url}/-/reload`, { method: 'POST' });
    expect(status).toBe(200);
  }

  stop(): Promise<void> {
    return stopAll(this.#stops);
  }
}

/** The last one first. */
async function stopAll(stops: readonly Stop[]): Promise<void> {
  for (const stop of stops.toReversed()) await stop();
}

/** A Prometheus 3 that takes OTLP, deltas too, and keeps the attributes of resources as labels. */
export function startOtlpReceiver(program: string): Promise<RunningPrometheus> {
  const promoted = ['service.name', 'cloud.region', 'cloud.availability_zone'];
  return startPrometheus(
    { otlp: { promote_resource_attributes: promoted } },
    { program, flags: ['--web.enable-otlp-receiver', '--enable-feature=otlp-deltatocumulative'] },
  );
}

/** Whom the collector pushes to. */
interface Receivers {
  readonly remoteWrite: string;
  readonly otlp: string;
}

function writeConfig(
  folder: string,
  targets: readonly { address: string }[],
  { remoteWrite, otlp }: Receivers,
): Promise<void> {
  const discovery = { static: [{ targets: targets.map(({ address }) => address) }] };
  const config = {
    discovery,
    remote_write: [{ name: 'fake', url: remoteWrite }],
    otlp: { endpoint: otlp, interval: '1s', traces: false },
  };
  return writeFile(join(folder, CONFIG_FILE), JSON.stringify(config));
}

/** Takes whatever is pushed to it, so that there are figures of pushing; what arrives is looked at elsewhere. */
function startFakeReceiver(): Promise<AnsweringServer> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(204).end());
  });
  return listening(server, () => server.closeAllConnections());
}

/** Passes scrapes on, and tells what came back. This Prometheus can't be told to ask for plain text: `/text` does. */
function startRelay(collectorUrl: string, contentTypes: Set<string>): Promise<AnsweringServer> {
  const server = createServer(({ url, headers }, response) => {
    const accept = url === '/text' ? 'text/plain;version=0.0.4' : (headers.accept ?? '');
    fetch(`${collectorUrl}/metrics`, { headers: { accept } })
      .then(async (answer) => {
        const contentType = answer.headers.get('content-type') ?? '';
        contentTypes.add(contentType);
        response.writeHead(answer.status, { 'content-type': contentType }).end(await answer.bytes());
      })
      .catch(() => response.destroy());
  });
  return listening(server, () => server.closeAllConnections());
}

function nativeConfig(relayPort: number): object {
  const job = { job_name: 'sidelight', honor_labels: true, scrape_native_histograms: true };
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      { ...job, always_scrape_classic_histograms: true, static_configs: [{ targets: [`127.0.0.1:${relayPort}`] }] },
    ],
  };
}

function prometheusConfig(collectorUrl: string, relayPort: number): object {
  const inText = [
    { source_labels: ['__name__'], regex: 'mesh_.*', action: 'keep' },
    { source_labels: ['__name__'], target_label: '__name__', replacement: 'text_$1' },
  ];
  const viaRelay = { honor_labels: true, static_configs: [{ targets: [`127.0.0.1:${relayPort}`] }] };
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      { job_name: 'sidelight', ...viaRelay },
      { job_name: 'sidelight-text', metrics_path: '/text', ...viaRelay, metric_relabel_configs: inText },
      {
        job_name: 'envoys',
        metrics_path: '/stats/prometheus',
        http_sd_configs: [{ url: `${collectorUrl}/api/v1/http_sd`, refresh_interval: '1s' }],
      },
    ],
  };
}
