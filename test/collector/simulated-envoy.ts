/** A fake Envoy behind its admin port: counts as Envoy does, and answers what the scraper asks for, filters included. */

import type { AdminAnswer, AdminClient } from '../../server/scrape/admin-client.ts';
import { textBody } from '../envoy/stats-body.ts';

type Counts = Map<string, number>;

export function add(counts: Counts, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

export const OWN_ZONE = 'eu-1';
const INBOUND = 'http.ingress.downstream_rq_';

interface Requests {
  readonly codeClass: string;
  readonly latencyMs: number;
  readonly count: number;
}

export class SimulatedEnvoy implements Pick<AdminClient, 'get'> {
  private readonly now: () => number;
  private readonly counters: Counts = new Map();
  /** By histogram and latency; those that were not flushed are not told yet. */
  private readonly samples: Counts = new Map();
  private readonly unflushed: Counts = new Map();
  private connection = 1;
  node = 'first';
  started: number;
  isDown = false;

  constructor(started: number, now: () => number) {
    this.started = started;
    this.now = now;
  }

  /** Which process it is. */
  get life(): string {
    return `${this.node} ${this.started}`;
  }

  restart(node: string): void {
    this.node = node;
    this.started = this.now() - 3000;
    for (const counts of [this.counters, this.samples, this.unflushed]) counts.clear();
    this.reconnect();
  }

  reconnect(): void {
    this.connection++;
  }

  receive(requests: Requests): void {
    this.count(INBOUND, requests);
  }

  call(cluster: string, zone: string | undefined, requests: Requests): void {
    const copies = zone === undefined ? ['internal.'] : ['internal.', `zone.${OWN_ZONE}.${zone}.`];
    for (const copy of ['', ...copies]) this.count(`cluster.${cluster}.${copy}upstream_rq_`, requests);
    this.counters.set(`cluster.${cluster}.membership_total`, 1);
  }

  private count(stat: string, { codeClass, latencyMs, count }: Requests): void {
    add(this.counters, `${stat}${codeClass}`, count);
    add(this.counters, `${stat}completed`, count);
    add(this.unflushed, `${stat}time ${latencyMs}`, count);
  }

  flush(): void {
    for (const [key, count] of this.unflushed) add(this.samples, key, count);
    this.unflushed.clear();
  }

  /** Requests, and samples that are told, by who received them: `inbound`, or the cluster. */
  get counted(): Counts {
    const counted: Counts = new Map();
    for (const [name, count] of [...this.counters, ...this.samples]) {
      const stat = /^(?:http\.ingress\.down|cluster\.(\w+)\.up)stream_rq_(\dxx$|time )/.exec(name);
      if (stat) add(counted, `${stat[1] ?? 'inbound'} ${stat[2] === 'time ' ? 'samples' : 'requests'}`, count);
    }
    return counted;
  }

  async get(path: string): Promise<AdminAnswer> {
    if (this.isDown) throw new Error('nothing listens there');
    const answer = (contentType: string, body: Buffer) => {
      return { status: 200, contentType, body, at: this.now(), connection: this.connection };
    };
    if (path === '/server_info') return answer('application/json', Buffer.from(JSON.stringify(this.info)));
    const filter = new RegExp(decodeURIComponent(path.split('filter=')[1] ?? ''));
    return answer(
      'text/plain',
      this.stats((name) => filter.test(name)),
    );
  }

  private get info() {
    const uptime_current_epoch = `${Math.floor((this.now() - this.started) / 1000)}s`;
    const node = { id: this.node, cluster: '', locality: { region: 'eu', zone: OWN_ZONE } };
    return { version: 'revision/1.40.0/Clean', uptime_current_epoch, node };
  }

  private stats(isWanted: (name: string) => boolean): Buffer {
    const scalars: Record<string, number> = { 'server.uptime': 1, [`${INBOUND}completed`]: 0 };
    for (const [name, value] of this.counters) if (isWanted(name)) scalars[name] = value;
    const histograms: Record<string, Record<number, number>> = {};
    for (const [key, count] of this.samples) {
      const [name = '', latencyMs = ''] = key.split(' ');
      if (isWanted(name)) histograms[name] = { ...histograms[name], [latencyMs]: count };
    }
    return textBody({ scalars, histograms });
  }
}
