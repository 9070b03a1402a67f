/**
 * A stand-in for the collector's HTTP API, to develop and test the dashboard alone. It serves the built dashboard with
 * the collector's content security policy, and figures of a made-up mesh. Nothing in it is measured.
 */

import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import type { AlertCounts, AlertHistoryAnswer, StatusAnswer, Tick } from '../../../server/api/contract.ts';
import { EDGE_FIELDS, edgePart, fieldsOf, SERVICE_FIELDS, servicePart } from '../../../server/api/fields.ts';
import { parseParams } from '../../../server/api/params.ts';
import { fakeAlerts, fakeFirings, fakeRules } from './fake-alerts.ts';
import { fakeRegionRoutes, fakeTopology } from './fake-calls.ts';
import { type FakeRange, fakeSeries, fakeService, fakeSummary } from './fake-figures.ts';
import { fakeHeatmap } from './fake-heatmap.ts';
import { fakeRulesTest } from './fake-rules-test.ts';
import { CRAFTED_MESH, FAKE_MESH, type FakeService, manyServices, meshOfMany } from './fake-services.ts';
import {
  FAKE_CONFIG,
  FAKE_LIMITS,
  FAKE_OTLP,
  FAKE_REMOTE_WRITE,
  FAKE_STORAGE,
  FAKE_STORAGE_FAILING,
  fakeRemoteWriteFailing,
} from './fake-status.ts';
import { fakeTargets } from './fake-targets.ts';

export type FakeScenario =
  | 'mesh'
  | 'no targets'
  | 'waiting'
  | 'no target answers'
  | 'just started'
  | 'large'
  | 'wide'
  | 'failing'
  | 'crafted';

export const CONTENT_SECURITY_POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self'";

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export interface FakeApiOptions {
  /** Folder of the built dashboard. */
  readonly webFolder: string;
  readonly now?: () => number;
  readonly intervalMs?: number;
}

export class FakeApi {
  scenario: FakeScenario = 'mesh';
  /** Paths asked for since the last look, static files aside. */
  readonly asked: string[] = [];
  private readonly streams = new Set<ServerResponse>();
  private readonly server: Server;
  private readonly options: Required<FakeApiOptions>;
  private silent = false;
  private refusal: string | null = null;
  private port = 0;
  private garbage: string | null = null;
  private held: (() => void)[] | null = null;
  /** Alerts that fire; null while the API has none. */
  alerting: number | null = 0;

  constructor(options: FakeApiOptions) {
    this.options = { now: Date.now, intervalMs: 15_000, ...options };
    this.server = createServer((request, response) => this.handle(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get listeners(): number {
    return this.streams.size;
  }

  async start(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    const address = this.server.address();
    this.port = typeof address === 'object' && address ? address.port : port;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Tells every listener that there are new figures. */
  tick(): void {
    const { now, intervalMs } = this.options;
    const alerts = { firing: this.alerting ?? 0 };
    const tick: Tick = { at: now(), intervalMs, targets: { up: 34, down: 2, total: 36 }, alerts };
    for (const stream of this.streams) stream.write(`event: tick\ndata: ${JSON.stringify(tick)}\n\n`);
  }

  /** Answers nothing from now on, and breaks what is open. */
  fallSilent(): void {
    this.silent = true;
    this.server.closeAllConnections();
  }

  /** Ends the event streams only, and takes no new ones. */
  loseStreams(): void {
    for (const stream of this.streams) stream.destroy();
  }

  answerAgain(): void {
    this.silent = false;
  }

  /** Refuses every question about figures in these words; null to stop that. */
  refuse(message: string | null): void {
    this.refusal = message;
  }

  /** Answers every question with this text and status 200; null to stop that. */
  babble(text: string | null): void {
    this.garbage = text;
  }

  /** As when it was started. */
  reset(): void {
    this.answerAgain();
    this.refuse(null);
    this.babble(null);
    this.release();
    this.scenario = 'mesh';
    this.alerting = 0;
    this.asked.length = 0;
  }

  /** Lets every question wait. */
  hold(): void {
    this.held = [];
  }

  /** Answers what waits. */
  release(): void {
    const waiting = this.held ?? [];
    this.held = null;
    for (const answer of waiting) answer();
  }

  private get mesh(): readonly FakeService[] {
    if (this.scenario === 'mesh' || this.scenario === 'failing') return FAKE_MESH;
    if (this.scenario === 'crafted') return CRAFTED_MESH;
    if (this.scenario === 'wide') return meshOfMany(300);
    if (this.scenario === 'large') return manyServices(1000);
    if (this.scenario === 'just started')
      return FAKE_MESH.slice(0, 3).map((service) => ({ ...service, state: 'no_data', instances: { up: 1, total: 1 } }));
    return [];
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    const isQuestion = url.pathname.startsWith('/api/');
    if (isQuestion) this.asked.push(url.pathname + url.search);
    response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY);
    if (this.silent) request.socket.destroy();
    else if (url.pathname === '/api/v1/events') this.openStream(request, response);
    else if (isQuestion && this.held) this.held.push(() => this.answer(url, response));
    else if (isQuestion) this.answer(url, response);
    else this.serveFile(url.pathname, response);
  }

  private answer(url: URL, response: ServerResponse): void {
    const path = url.pathname.replace('/api/v1/', '');
    if (this.garbage !== null) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(this.garbage);
      return;
    }
    if (this.refusal !== null && path !== 'status') {
      sendError(response, 500, this.refusal);
      return;
    }
    const body = this.bodyOf(path, url.searchParams);
    if (body === null) sendError(response, 404, `there is no ${path}`);
    else sendJson(response, 200, body);
  }

  private openStream(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 2000\n\n');
    this.streams.add(response);
    request.on('close', () => this.streams.delete(response));
  }

  private bodyOf(path: string, parameters: URLSearchParams): unknown {
    const range = this.rangeOf(parameters);
    const name = parameters.get('service');
    if (path === 'status') return this.status();
    if (path === 'alerts/history') return this.alertHistory(range, name);
    if (path === 'alerts') return this.alerting === null ? null : fakeAlerts(this.alerting, this.options.now());
    if (path === 'rules') return this.alerting === null ? null : fakeRules(this.alerting, this.options.now());
    if (path === 'rules/test') return this.alerting === null ? null : fakeRulesTest(this.options.now());
    if (path === 'topology') return this.topologyOf(range, parameters);
    if (path === 'regions')
      return fakeRegionRoutes(
        this.mesh.filter(({ service }) => name === null || service === name),
        range,
      );
    if (path === 'targets') {
      const mesh = this.mesh.filter(({ service, namespace }) =>
        name === null ? true : service === name && namespace === (parameters.get('namespace') ?? ''),
      );
      return fakeTargets(mesh, this.options.now());
    }
    if (path === 'services')
      return {
        at: range.to,
        windowMs: range.to - range.from,
        window: range.window,
        offsetMs: range.offsetMs,
        tiers: range.offsetMs > 0 ? ['1m'] : ['raw'],
        services: this.servicesOf(range, parameters),
      };
    if (path === 'heatmap') return this.heatmapOf(parameters, range);
    if (path === 'query') {
      const by = parameters.getAll('by').join(',');
      const wanted = this.mesh.filter(
        (service) =>
          name === null || (service.service === name && service.namespace === (parameters.get('namespace') ?? '')),
      );
      return fakeSeries(wanted, range, {
        signal: parameters.get('signal') ?? '',
        byClass: by.includes('code_class'),
        byService: by.includes('service'),
        stepMs: windowMs(parameters.get('step') ?? '15s'),
      });
    }
    const wanted = decodeURIComponent(path.replace('services/', ''));
    const found = this.mesh.find(
      ({ service, namespace }) => service === wanted && namespace === (parameters.get('namespace') ?? namespace),
    );
    if (!found) return null;
    const answer = { ...fakeService(found, this.mesh, range), alerts: this.alertsOf(found) };
    const instance = parameters.get('instance');
    if (instance === null) return answer;
    const own = answer.byInstance.filter((row) => row.instance === instance);
    return { ...answer, ...own[0], byInstance: own, vantage: answer.vantage };
  }

  private servicesOf(range: FakeRange, parameters: URLSearchParams): readonly unknown[] {
    const fields = fieldsOf(parseParams(parameters.toString(), [...parameters.keys()]), SERVICE_FIELDS);
    const services = this.mesh.map((service) => ({ ...fakeSummary(service, range), alerts: this.alertsOf(service) }));
    return fields ? services.map(servicePart(fields)) : services;
  }

  private topologyOf(range: FakeRange, parameters: URLSearchParams): unknown {
    const fields = fieldsOf(parseParams(parameters.toString(), [...parameters.keys()]), EDGE_FIELDS);
    const topology = fakeTopology(this.mesh, range);
    if (!fields) return topology;
    const part = edgePart(fields);
    return { ...topology, edges: topology.edges.map((edge) => part(edge, edge)) };
  }

  private alertsOf({ service }: FakeService): AlertCounts {
    const firing = this.alerting ?? 0;
    if (service === 'payments') return { firing: 0, pending: firing > 0 ? 1 : 0 };
    return { firing: service === 'checkout' ? firing : 0, pending: 0 };
  }

  private alertHistory(range: FakeRange, service: string | null): AlertHistoryAnswer | null {
    if (this.alerting === null) return null;
    const firings = fakeFirings(this.alerting, this.options.now(), service).filter(
      ({ firedAt, resolvedAt }) => firedAt < range.to && (resolvedAt ?? range.to) >= range.from,
    );
    const { to, from, window, offsetMs } = range;
    return { at: to, windowMs: to - from, window, offsetMs, events: [], firings, truncated: false };
  }

  private heatmapOf(parameters: URLSearchParams, range: FakeRange): unknown {
    const found = this.mesh.find(
      ({ service, namespace }) =>
        service === parameters.get('service') && namespace === (parameters.get('namespace') ?? ''),
    );
    return found ? fakeHeatmap(found, range, windowMs(parameters.get('step') ?? '15s')) : null;
  }

  private rangeOf(parameters: URLSearchParams): FakeRange {
    const to = parameters.has('to') ? Number(parameters.get('to')) : this.options.now();
    const window = parameters.get('window') ?? '5m';
    const from = parameters.has('from') ? Number(parameters.get('from')) : to - windowMs(window);
    const offsetMs = parameters.has('offset') ? windowMs(parameters.get('offset') ?? '') : 0;
    return { from, to, offsetMs, window: parameters.has('from') ? `${Math.round((to - from) / 60_000)}m` : window };
  }

  private status(): StatusAnswer {
    const { now, intervalMs } = this.options;
    const targets = this.scenario === 'no targets' ? 0 : 36;
    const up = this.scenario === 'no target answers' ? 0 : Math.max(0, targets - 2);
    const young = this.scenario === 'just started' || this.scenario === 'waiting';
    const age = young ? 10_000 : 5 * 3_600_000;
    const failing = this.scenario === 'failing';
    const storage = failing ? { ...FAKE_STORAGE_FAILING, failingSince: now() - 95_000 } : FAKE_STORAGE;
    return {
      build: { version: '0.1.0', node: process.version },
      startedAt: now() - age,
      now: now(),
      scrape: { intervalMs, timeoutMs: 10_000, targets, up, down: targets - up },
      storage: {
        ...storage,
        oldest: now() - age,
        tiers: storage.tiers.map((tier) => ({ ...tier, oldest: now() - Math.min(age, tier.keptMs), newest: now() })),
      },
      retention: { raw: 7_200_000 },
      limits: FAKE_LIMITS,
      otlp: failing ? FAKE_OTLP : null,
      reload: {
        at: now() - age / 2,
        goodAt: now() - age,
        errors: failing ? ['sidelight.yaml:14: scrape.interval: 15 is no duration: write 15s'] : [],
      },
      discovery: [
        { name: 'discovery.static[0]', error: '', answered: true },
        {
          name: 'discovery.file[0]',
          error: failing ? 'targets/edge.yaml:3: targets: expected a list of host:port' : '',
          answered: true,
        },
        { name: 'discovery.dns[0]', error: '', answered: false },
      ],
      remoteWrite: [failing ? fakeRemoteWriteFailing(now()) : FAKE_REMOTE_WRITE],
      config: FAKE_CONFIG,
    };
  }

  private serveFile(path: string, response: ServerResponse): void {
    const file = join(this.options.webFolder, normalize(path));
    const found =
      file.startsWith(this.options.webFolder) && existsSync(file) && statSync(file).isFile()
        ? file
        : join(this.options.webFolder, 'index.html');
    response.setHeader('content-type', TYPES[extname(found)] ?? 'application/octet-stream');
    createReadStream(found).pipe(response);
  }
}

function windowMs(text: string): number {
  return Number.parseFloat(text) * (UNIT_MS[text.slice(-1)] ?? 1000);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function sendError(response: ServerResponse, status: number, message: string): void {
  sendJson(response, status, { error: { code: status === 404 ? 'not_found' : 'internal', message } });
}
