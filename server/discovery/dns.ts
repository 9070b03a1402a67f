import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import type { DnsEntry } from '../config/config.ts';
import type { CreateDiscoverer, Discoverer, DiscoverySink, Endpoint, Surroundings } from './discoverer.ts';
import { namesToTry, parseResolvConf } from './dns-names.ts';
import { Poll } from './poll.ts';

type Entry = Pick<DnsEntry, 'names' | 'type' | 'port' | 'refreshMs' | 'labels' | 'servers'>;

/** What DNS said of a name: records, that there are none, or why it said nothing. */
type Answer =
  | { readonly endpoints: Endpoint[]; readonly ttlMs: number | null }
  | { readonly error: string; readonly none: boolean };

/** What is known of a name. */
interface KnownName {
  goodAt: number;
  found: number;
  error: string;
}

/** How long the last good answer stays when DNS says that there is none: a name may vanish for a moment. */
const NONE_HOLD_MS = 300_000;
/** How long it stays when DNS says nothing. */
const SILENCE_HOLD_MS = 3_600_000;
const LEAST_TTL_MS = 5000;
const MAX_RECORDS = 10_000;
const NO_RECORDS = ['ENOTFOUND', 'ENODATA'];

/** Names whose A, AAAA or SRV records are the targets. */
export const createDnsDiscoverer: CreateDiscoverer<Entry> = (entry, surroundings) =>
  new DnsDiscoverer(entry, surroundings);

class DnsDiscoverer implements Discoverer {
  private readonly entry: Entry;
  private readonly now: () => number;
  /** One per name: what goes wrong with one of them concerns no other. */
  private readonly resolvers: ReadonlyMap<string, Resolver>;
  private readonly known = new Map<string, KnownName>();
  private readonly poll: Poll;
  private sink: DiscoverySink | undefined;

  constructor(entry: Entry, { now }: Surroundings) {
    this.entry = entry;
    this.now = now;
    this.resolvers = new Map(entry.names.map((name) => [name, resolverOf(entry.servers)]));
    this.poll = new Poll({ ask: () => this.refresh() });
  }

  start(sink: DiscoverySink): void {
    this.sink = sink;
    this.poll.start();
  }

  async stop(): Promise<void> {
    this.sink = undefined;
    for (const resolver of this.resolvers.values()) resolver.cancel();
    await this.poll.stop();
  }

  private async refresh(): Promise<number> {
    const { names, refreshMs } = this.entry;
    const search = parseResolvConf(await readFile('/etc/resolv.conf', 'utf8').catch(() => ''));
    const answers = await Promise.all(
      names.map(async (name) => ({ name, answer: await this.lookUp(name, namesToTry(name, search)) })),
    );
    const groups = answers.flatMap(({ name, answer }) => {
      const endpoints = this.settle(name, answer);
      return endpoints === undefined ? [] : [{ source: name, targets: endpoints }];
    });
    this.sink?.update(groups);
    const errors = [...this.known].flatMap(([name, { error }]) => (error === '' ? [] : [`${name}: ${error}`]));
    this.sink?.health(errors.join('; '));
    const ttls = answers.flatMap(({ answer }) => ('ttlMs' in answer && answer.ttlMs !== null ? [answer.ttlMs] : []));
    return Math.min(refreshMs, Math.max(LEAST_TTL_MS, ...[Math.min(...ttls, refreshMs)]));
  }

  /** What to emit of a name; undefined to leave what was emitted last. */
  private settle(name: string, answer: Answer): Endpoint[] | undefined {
    const known = this.known.get(name) ?? { goodAt: this.now(), found: 0, error: '' };
    this.known.set(name, known);
    if ('endpoints' in answer) {
      Object.assign(known, { goodAt: this.now(), found: answer.endpoints.length, error: '' });
      return answer.endpoints;
    }
    const held = this.now() - known.goodAt < (answer.none ? NONE_HOLD_MS : SILENCE_HOLD_MS);
    known.error = `${answer.error}${known.found > 0 ? (held ? '; its last records stay for a while' : '; its last records were given up') : ''}`;
    return held ? undefined : [];
  }

  /** The first of the names that has records. */
  private async lookUp(name: string, candidates: readonly string[]): Promise<Answer> {
    const resolver = this.resolvers.get(name) ?? resolverOf(this.entry.servers);
    let failure: Answer = { error: 'no name to look up', none: true };
    for (const candidate of candidates) {
      const answer = await this.records(candidate, resolver);
      if ('endpoints' in answer) return answer;
      if (!answer.none || candidate === candidates[0]) failure = answer;
    }
    return failure;
  }

  private async records(name: string, resolver: Resolver): Promise<Answer> {
    try {
      const { type } = this.entry;
      if (type === 'SRV') {
        const records = await resolver.resolveSrv(name);
        return {
          endpoints: records.slice(0, MAX_RECORDS).map((record) => this.serviceEndpoint(name, record)),
          ttlMs: null,
        };
      }
      const records = await (type === 'A'
        ? resolver.resolve4(name, { ttl: true })
        : resolver.resolve6(name, { ttl: true }));
      const endpoints = records
        .slice(0, MAX_RECORDS)
        .map(({ address }) => this.endpoint(name, address, this.entry.port));
      return { endpoints, ttlMs: Math.min(...records.map(({ ttl }) => ttl)) * 1000 };
    } catch (error) {
      const { code = String(error) } = (error ?? {}) as { code?: string };
      return { error: reasonOf(code, this.entry.type), none: NO_RECORDS.includes(code) };
    }
  }

  private serviceEndpoint(name: string, record: { name: string; port: number }): Endpoint {
    const target = record.name.replace(/\.$/, '');
    const { address, labels } = this.endpoint(name, target, record.port);
    const meta = { __meta_dns_srv_record_target: `${target}.`, __meta_dns_srv_record_port: String(record.port) };
    return { address, labels: { ...labels, ...meta } };
  }

  private endpoint(name: string, host: string, port: number): Endpoint {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    return { address, labels: { ...this.entry.labels, __meta_dns_name: name.replace(/\.$/, '') } };
  }
}

function resolverOf(servers: readonly string[]): Resolver {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  if (servers.length > 0) resolver.setServers([...servers]);
  return resolver;
}

function reasonOf(code: string, type: Entry['type']): string {
  if (code === 'ENOTFOUND') return 'DNS does not know this name (NXDOMAIN); check it';
  if (code === 'ENODATA') return `it has no ${type} records; check the name and type`;
  if (code === 'ETIMEOUT' || code === 'ECONNREFUSED')
    return 'no name server answered; check /etc/resolv.conf or servers';
  if (code === 'ESERVFAIL') return 'the name server failed (SERVFAIL)';
  return `the lookup failed (${code})`;
}
