/** Where `explain` gets an answer from: a target, asked as the scraper does, or a file that one was saved in. */

import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Config } from '../config/config.ts';
import { readUpTo } from '../config/file.ts';
import { reachOf } from '../discovery/reach-of.ts';
import { CLUSTERS_PATH, CLUSTERS_TEXT_PATH, type ClusterHosts } from '../envoy/clusters.ts';
import { LISTENERS_PATH } from '../envoy/listeners.ts';
import { CONNECTION_MANAGERS_PATH, SERVER_INFO_PATH, STATS_FORMS } from '../envoy/requests.ts';
import { parseServerInfo, type ServerInfo } from '../envoy/server-info.ts';
import type { Labels } from '../model/labels.ts';
import { formatTargetAddress, parseTargetAddress, type TargetAddress } from '../model/target.ts';
import { type AdminAnswer, AdminClient } from '../scrape/admin-client.ts';
import { ExtrasScraper } from '../scrape/extras-scraper.ts';
import { type Asks, TargetScraper } from '../scrape/target-scraper.ts';
import { codeOf, PlainError, plainLine } from './plain-error.ts';

/** One request and what came of it. */
export interface Asked {
  readonly what: string;
  readonly status: number;
  readonly contentType: string;
  readonly bytes: number;
}

export interface GivenAnswer {
  readonly address: string;
  readonly addressIs: 'address' | 'file name';
  readonly host: string;
  /** Labels that the configuration gives the target. */
  readonly labels: Labels;
  readonly body: Buffer;
  readonly info: ServerInfo | undefined;
  readonly managers: ReadonlySet<string>;
  /** Undefined where they were not told. */
  readonly clusterHosts?: readonly ClusterHosts[] | undefined;
  readonly asked: readonly Asked[];
}

export interface AnswerSource {
  /** A target's address or a file's path. */
  readonly subject: string;
  /** File with the answer of /server_info. */
  readonly serverInfo: string | undefined;
  readonly config: Config;
}

/** @throws PlainError, or ScrapeError with the reason of the scraper. */
export async function answerOf(source: AnswerSource): Promise<GivenAnswer> {
  const { subject, serverInfo } = source;
  const isTarget = /^(?:unix:|[a-z]+:\/\/)/i.test(subject);
  if (!isTarget && existsSync(subject)) return answerInFile(source);
  const parsed = parseTargetAddress(subject);
  if (!parsed.ok && !/:/.test(subject)) {
    throw new PlainError(
      `${subject}: no such file; write the path of a saved answer, or a target such as 10.0.0.5:9901`,
    );
  }
  if (!parsed.ok) throw new PlainError(`${parsed.error}${isTarget ? '' : ' (and there is no such file)'}`);
  if (serverInfo !== undefined) throw new PlainError('--server-info goes with a file; a target is asked itself');
  return answerOfTarget(parsed.address, source.config);
}

function answerInFile({ subject, serverInfo, config }: AnswerSource): GivenAnswer {
  const name = basename(subject);
  const { bodyLimitBytes } = config.scrape;
  const body = readBody(subject, bodyLimitBytes);
  if (parseServerInfo(body)) {
    throw new PlainError(`${subject}: the answer of /server_info; give it with --server-info, beside one of /stats`);
  }
  const info = serverInfo === undefined ? undefined : parseServerInfo(readBody(serverInfo, bodyLimitBytes));
  if (serverInfo !== undefined && !info) throw new PlainError(`${serverInfo}: not an answer of /server_info`);
  return { address: name, addressIs: 'file name', host: name, labels: {}, body, info, managers: new Set(), asked: [] };
}

function readBody(file: string, limit: number): Buffer {
  let bytes: Buffer;
  try {
    bytes = readUpTo(file, limit + 1);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes, { maxOutputLength: limit + 1 });
  } catch (error) {
    throw new PlainError(`${file}: ${reasonOf(error, limit)}`);
  }
  if (bytes.length > limit) throw new PlainError(`${file}: ${tooLarge(limit)}`);
  return bytes;
}

function reasonOf(error: unknown, limit: number): string {
  const code = codeOf(error);
  if (code === 'EISDIR') return 'is a folder; give the path of a saved answer of /stats';
  if (code === 'ENOENT') return 'no such file; check the path';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied; make the file readable for this user';
  if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(limit);
  return code.startsWith('Z_') ? 'not a whole gzip file' : `cannot be read: ${plainLine(error)}`;
}

function tooLarge(limit: number): string {
  return `larger than scrape.body_limit (${limit} bytes)`;
}

async function answerOfTarget(address: TargetAddress, { scrape, discovery }: Config): Promise<GivenAnswer> {
  const key = formatTargetAddress(address);
  const { timeoutMs, bodyLimitBytes } = scrape;
  const plain = key.replace(/^https:\/\//, '');
  const entry = discovery.static.find(({ targets }) => targets.includes(key) || targets.includes(plain));
  const reach = reachOf(entry ?? {}, scrape);
  const client = new AdminClient({ address, timeoutMs, bodyLimitBytes, reach, now: Date.now });
  const asks = new RecordedAsks(client);
  try {
    const good = await new TargetScraper(asks).scrape();
    const { info, managers } = good;
    const { clustersEvery, seriesLimit } = scrape;
    const extrasScraper = new ExtrasScraper(asks, { every: 1, hostLimit: seriesLimit, key });
    const extras = clustersEvery > 0 ? await extrasScraper.ask(good) : undefined;
    return {
      address: key,
      addressIs: 'address',
      host: address.scheme === 'unix' ? address.path : address.host,
      labels: entry?.labels ?? {},
      body: asks.statsBody,
      info,
      managers,
      clusterHosts: extras?.hosts && 'clusters' in extras.hosts ? extras.hosts.clusters : undefined,
      asked: asks.asked,
    };
  } finally {
    await client.close();
  }
}

/** Requests as they pass, remembered. */
class RecordedAsks implements Asks {
  readonly asked: Asked[] = [];
  /** Of the last answer to a request for stats: the one that the scraper took. */
  statsBody: Buffer = Buffer.alloc(0);
  private readonly asks: Asks;

  constructor(asks: Asks) {
    this.asks = asks;
  }

  async get(path: string): Promise<AdminAnswer> {
    const answer = await this.asks.get(path);
    const form = STATS_FORMS.find((one) => one.path === path);
    if (form) this.statsBody = answer.body;
    const what = form ? `/stats as ${form.name}` : (NAMES[path] ?? 'another path');
    this.asked.push({ what, status: answer.status, contentType: answer.contentType, bytes: answer.body.length });
    // What is told of the body is read after the scrape.
    return { ...answer, release() {} };
  }
}

const NAMES: Readonly<Record<string, string>> = {
  [SERVER_INFO_PATH]: '/server_info',
  [CLUSTERS_PATH]: '/clusters as JSON',
  [CLUSTERS_TEXT_PATH]: '/clusters as text',
  [LISTENERS_PATH]: '/listeners',
  [CONNECTION_MANAGERS_PATH]: '/stats of idle connection managers',
};
