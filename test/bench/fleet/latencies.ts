/** How long answers of the collector take, asked for over one connection as a dashboard asks. */

import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** Requests of one of the dashboard's pages, or one query; those of a page are sent at once. */
export interface Asking {
  readonly name: string;
  readonly paths: readonly string[];
}

export interface Latency {
  readonly name: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bytes: number;
}

/** A step of a dashboard's trends over an hour. */
const TRENDS = 'by=service,namespace&window=1h&step=1m';
const ONE = 'service=svc-0000&namespace=shop&window=15m&step=10s';

/** What a dashboard asks for, by pages, and the queries that peers are measured with too. */
export const ASKINGS: readonly Asking[] = [
  { name: 'API: services', paths: ['services'] },
  {
    name: 'fleet page',
    paths: [
      'services',
      `query?signal=request_rate&${TRENDS}`,
      `query?signal=latency_p99&${TRENDS}`,
      'alerts',
      'status',
    ],
  },
  {
    name: 'service page',
    paths: [
      'services/svc-0000?namespace=shop&window=15m',
      `query?signal=request_rate&by=code_class&${ONE}`,
      ...['latency_p50', 'latency_p90', 'latency_p99', 'active_requests', 'failures'].map(
        (signal) => `query?signal=${signal}&${ONE}`,
      ),
      `heatmap?${ONE}`,
      'regions?service=svc-0000&namespace=shop&window=15m',
    ],
  },
  { name: 'topology page', paths: ['topology', 'services'] },
  { name: 'targets page', paths: ['targets'] },
  { name: 'query: rate by service, 1 h', paths: ['query?signal=request_rate&by=service&window=1h&step=15s'] },
  { name: 'query: p99 by service, 1 h', paths: ['query?signal=latency_p99&by=service&window=1h&step=15s'] },
  { name: 'query: heatmap of one service', paths: ['heatmap?service=svc-0000&window=1h&step=1m'] },
];

/** Asks everything in turns, with pauses, until told to stop. */
export class LatencyProbe {
  private readonly url: string;
  private readonly pauseMs: number;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 6 });
  private readonly taken = new Map<string, { ms: number[]; bytes: number }>();
  private stopped = false;
  /** Answers that were none. */
  refused = 0;
  private running: Promise<void> = Promise.resolve();

  constructor(url: string, pauseMs: number) {
    this.url = url;
    this.pauseMs = pauseMs;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<Latency[]> {
    this.stopped = true;
    await this.running;
    this.agent.destroy();
    return ASKINGS.map(({ name }) => {
      const { ms, bytes } = this.taken.get(name) ?? { ms: [], bytes: 0 };
      const sorted = ms.toSorted((a, b) => a - b);
      const at = (share: number) =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
      return { name, count: ms.length, p50Ms: at(0.5), p99Ms: at(0.99), bytes };
    });
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      for (const { name, paths } of ASKINGS) {
        if (this.stopped) return;
        const began = performance.now();
        const sizes = await Promise.all(paths.map((path) => this.sizeOf(path)));
        const known = this.taken.get(name) ?? { ms: [], bytes: 0 };
        known.ms.push(performance.now() - began);
        known.bytes = sizes.reduce((sum, size) => sum + size, 0);
        this.taken.set(name, known);
        await delay(this.pauseMs);
      }
    }
  }

  private sizeOf(path: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const request = get(`${this.url}/api/v1/${path}`, { agent: this.agent }, (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        response.on('end', () => {
          if (response.statusCode !== 200) this.refused++;
          resolve(bytes);
        });
        response.on('error', reject);
      });
      // The server may close a connection that rested just when it is used again.
      request.on('error', (error) => (request.reusedSocket ? resolve(this.sizeOf(path)) : reject(error)));
    });
  }
}
