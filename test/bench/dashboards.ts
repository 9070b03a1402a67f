/** `npm run bench -- dashboards`: what open dashboards cost the server, between storing a round and having answered all. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';
import { CALL_FIELDS } from '../../web/listed-call.ts';
import { LISTED_FIELDS } from '../../web/listed-service.ts';
import { median } from './measure.ts';
import { serviceName } from './store-fleet.ts';

const SERVER = fileURLToPath(new URL('./dashboards-server.ts', import.meta.url));
/** Of a core, while `dashboards` pages are open. */
const GOAL_SHARE = 0.1;
/** Ticks before those that count: a server that has run for a while has its code compiled. */
const WARM_TICKS = 8;
const SIGNALS = ['latency_p50', 'latency_p95', 'latency_p99', 'success_rate', 'active_requests', 'active_connections'];

const OPTIONS = {
  dashboards: { type: 'string', default: '50' },
  services: { type: 'string', default: '1000' },
  instances: { type: 'string', default: '2' },
  interval: { type: 'string', default: '15' },
  ticks: { type: 'string', default: '8' },
} as const;

/** What a page asks for at every tick: most show the fleet, some one of five services, some the topology. */
function questionsOf(dashboard: number): string[] {
  const page = dashboard % 10;
  const services = `services?window=5m&fields=${encodeURIComponent(LISTED_FIELDS)}`;
  if (page === 9) return [`topology?window=5m&fields=${encodeURIComponent(CALL_FIELDS)}`, services];
  if (page >= 6) return servicePage(serviceName(dashboard % 5));
  // Of trends the page asks at a tick only for the newest steps.
  const trend = (signal: string) => `query?signal=${signal}&by=service%2Cnamespace&window=60s&step=15s`;
  return [services, trend('latency_p99'), trend('request_rate')];
}

function servicePage(service: string): string[] {
  const of = `service=${service}&namespace=prod&window=5m`;
  return [
    `services/${service}?namespace=prod&window=5m`,
    `query?signal=request_rate&by=code_class&${of}&step=15s`,
    ...SIGNALS.map((signal) => `query?signal=${signal}&${of}&step=15s`),
    `heatmap?${of}&step=15s`,
    `targets?service=${service}&namespace=prod`,
    `alerts/history?service=${service}&window=5m`,
  ];
}

/** Prints the figures; false when the goal was missed. */
export async function dashboardsBenchmark(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const intervalMs = Number(values.interval) * 1000;
  const server = fork(SERVER, [values.services, values.instances, String(intervalMs)]);
  try {
    const [{ port }] = (await once(server, 'message')) as [{ port: number }];
    const pages = new Pages(`http://127.0.0.1:${port}`);
    const one = await cpuPerTick({ server, pages, dashboards: 1, ticks: Number(values.ticks) });
    const many = await cpuPerTick({
      server,
      pages,
      dashboards: Number(values.dashboards),
      ticks: Number(values.ticks),
    });
    await pages.close();
    const share = many.cpuMs / intervalMs;
    const row = (about: string, figure: string) => console.log(`${about.padEnd(62)} ${figure.padStart(14)}`);
    row(`services, each with ${values.instances} instances`, values.services);
    row('CPU per tick with one dashboard', `${one.cpuMs.toFixed(0)} ms`);
    row(`CPU per tick with ${values.dashboards} dashboards`, `${many.cpuMs.toFixed(0)} ms`);
    row('until all were answered', `${many.wallMs.toFixed(0)} ms`);
    row('answers per tick, and their bytes as sent', `${many.answers}, ${(many.bytes / 1e6).toFixed(1)} MB`);
    row(
      `share of a core at an interval of ${values.interval} s (goal ${GOAL_SHARE * 100} %)`,
      `${(share * 100).toFixed(1)} %`,
    );
    return share <= GOAL_SHARE;
  } finally {
    server.disconnect();
  }
}

interface Load {
  readonly server: ChildProcess;
  readonly pages: Pages;
  readonly dashboards: number;
  readonly ticks: number;
}

interface Cost {
  /** Medians over the ticks, the first few left out; storing the round is not counted. */
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly answers: number;
  readonly bytes: number;
}

async function cpuPerTick({ server, pages, dashboards, ticks }: Load): Promise<Cost> {
  const costs: Cost[] = [];
  for (let tick = 0; tick < WARM_TICKS + ticks; tick++) {
    await told(server, 'next');
    const before = (await told(server, 'cpu')).cpuMs ?? 0;
    const started = performance.now();
    const bytes = await pages.askAll(dashboards);
    const wallMs = performance.now() - started;
    costs.push({
      cpuMs: ((await told(server, 'cpu')).cpuMs ?? 0) - before,
      wallMs,
      answers: bytes.length,
      bytes: sum(bytes),
    });
  }
  const warm = costs.slice(WARM_TICKS);
  const middle = (of: (cost: Cost) => number) => median(warm.map(of));
  return {
    cpuMs: middle(({ cpuMs }) => cpuMs),
    wallMs: middle(({ wallMs }) => wallMs),
    answers: middle(({ answers }) => answers),
    bytes: middle(({ bytes }) => bytes),
  };
}

async function told(server: ChildProcess, message: 'next' | 'cpu'): Promise<{ cpuMs?: number }> {
  server.send(message);
  const [answer] = (await once(server, 'message')) as [{ cpuMs?: number }];
  return answer;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** Browsers, as far as the server can tell: six connections each, packed answers, nothing unpacked. */
class Pages {
  private readonly url: string;
  private readonly agents = new Map<number, Agent>();

  constructor(url: string) {
    this.url = url;
  }

  /** Bytes of every answer. */
  async askAll(dashboards: number): Promise<number[]> {
    const answers = Array.from({ length: dashboards }, (_, dashboard) =>
      Promise.all(questionsOf(dashboard).map((question) => this.ask(dashboard, question))),
    );
    return (await Promise.all(answers)).flat();
  }

  private async ask(dashboard: number, question: string): Promise<number> {
    const dispatcher = this.agents.get(dashboard) ?? new Agent({ connections: 6 });
    this.agents.set(dashboard, dispatcher);
    const headers = { 'accept-encoding': 'gzip' };
    const { body, statusCode } = await request(`${this.url}/api/v1/${question}`, { dispatcher, headers });
    if (statusCode !== 200) throw new Error(`${question} was answered with ${statusCode}: ${await body.text()}`);
    const { byteLength } = await body.arrayBuffer();
    return byteLength;
  }

  async close(): Promise<void> {
    await Promise.all([...this.agents.values()].map((agent) => agent.close()));
  }
}
