import { Client } from 'undici';
import type { HttpEntry } from '../config/config.ts';
import { connectorOf } from '../reach/connect.ts';
import { authorization, SecretFiles } from '../reach/credentials.ts';
import type { CreateDiscoverer, Discoverer, DiscoverySink, Surroundings, TargetGroup } from './discoverer.ts';
import { sourceError, withoutQuery } from './http-errors.ts';
import { Poll, retryDelay } from './poll.ts';
import { LIST_LIMIT_BYTES, readTargetGroups } from './target-groups.ts';

type Entry = Pick<HttpEntry, 'url' | 'refreshMs' | 'sourceTls' | 'sourceAuth'>;

/** Longest time that an answer may take. */
const TIMEOUT_MS = 10_000;
const JSON_TYPE = /^application\/json(?:;\s*charset=(?:"utf-8"|utf-8))?$/i;

/** A server that lists target groups; while it fails, what it listed last stays. */
export const createHttpDiscoverer: CreateDiscoverer<Entry> = (entry, surroundings) =>
  new HttpDiscoverer(entry, surroundings);

class HttpDiscoverer implements Discoverer {
  private readonly entry: Entry;
  private readonly secrets: SecretFiles;
  private readonly poll: Poll;
  private sink: DiscoverySink | undefined;
  private groups = 0;
  private failures = 0;

  constructor(entry: Entry, { now }: Surroundings) {
    this.entry = entry;
    this.secrets = new SecretFiles(now);
    this.poll = new Poll({ ask: (signal) => this.refresh(signal) });
  }

  start(sink: DiscoverySink): void {
    this.sink = sink;
    this.poll.start();
  }

  async stop(): Promise<void> {
    this.sink = undefined;
    await this.poll.stop();
  }

  private async refresh(ended: AbortSignal): Promise<number> {
    const { url, refreshMs } = this.entry;
    const late = AbortSignal.timeout(Math.min(TIMEOUT_MS, Math.max(1000, refreshMs)));
    try {
      this.take(await this.ask(AbortSignal.any([ended, late])));
      this.failures = 0;
      this.sink?.health('');
      return refreshMs;
    } catch (error) {
      this.failures++;
      this.sink?.health(sourceError(error, { url, timedOut: late.aborted }));
      return retryDelay(this.failures, refreshMs);
    }
  }

  private take(tree: unknown): void {
    const { url } = this.entry;
    const listed = readTargetGroups(tree);
    const groups: TargetGroup[] = listed.map(({ targets, labels }, index) => ({
      source: `${url}:${index}`,
      targets: targets.map((address) => ({ address, labels: { ...labels, __meta_url: withoutQuery(url) } })),
    }));
    for (let gone = listed.length; gone < this.groups; gone++) groups.push({ source: `${url}:${gone}`, targets: [] });
    this.groups = listed.length;
    this.sink?.update(groups);
  }

  /** One request over a connection of its own; redirects are not followed. */
  private async ask(signal: AbortSignal): Promise<unknown> {
    const { url, refreshMs, sourceTls, sourceAuth } = this.entry;
    const { origin, pathname, search } = new URL(url);
    const authorized = await authorization(sourceAuth, this.secrets);
    const connect = connectorOf({ timeoutMs: TIMEOUT_MS, tls: sourceTls, allowLinkLocal: true });
    const client = new Client(origin, { connect, maxHeaderSize: 16_384 });
    try {
      const headers = {
        accept: 'application/json',
        'user-agent': 'sidelight',
        'x-prometheus-refresh-interval-seconds': String(refreshMs / 1000),
        ...(authorized === undefined ? {} : { authorization: authorized }),
      };
      const response = await client.request({ method: 'GET', path: pathname + search, headers, signal });
      response.body.on('error', () => {});
      if (response.statusCode !== 200) {
        throw new Error(`server returned HTTP status ${response.statusCode}${hintOf(response.statusCode)}`);
      }
      const type = String(response.headers['content-type'] ?? '');
      if (!JSON_TYPE.test(type.trim())) {
        throw new Error(`unsupported content type ${JSON.stringify(type)}; the answer has to be application/json`);
      }
      return JSON.parse(await limitedText(response.body));
    } finally {
      await client.destroy();
    }
  }
}

function hintOf(status: number): string {
  if (status >= 300 && status < 400) return '; redirects are not followed: write the address that it leads to';
  if (status === 401 || status === 403) return '; check source_auth';
  return status === 404 ? '; check the path of the address' : '';
}

async function limitedText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LIST_LIMIT_BYTES) throw new Error(`the answer is larger than ${LIST_LIMIT_BYTES} bytes`);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}
