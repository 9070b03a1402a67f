import { createHash } from 'node:crypto';
import {
  CLUSTERS_PATH,
  CLUSTERS_TEXT_PATH,
  type ClusterHosts,
  ClustersError,
  readClusters,
} from '../envoy/clusters.ts';
import { LISTENERS_PATH, readListeners } from '../envoy/listeners.ts';
import type { ClustersAsked } from '../model/scrape-record.ts';
import type { AdminAnswer } from './admin-client.ts';
import { ScrapeError } from './scrape-error.ts';
import type { Asks, GoodScrape } from './target-scraper.ts';

/** What was asked for after a good scrape. */
export interface ScrapedExtras {
  readonly asked: ClustersAsked;
  /** Undefined where the answer was none to be read. */
  readonly hosts: { readonly clusters: readonly ClusterHosts[] } | { readonly refused: true } | undefined;
  /** Undefined where they were not asked for. */
  readonly listeners: readonly string[] | undefined;
  /** Of everything that was asked for here. */
  readonly durationMs: number;
}

export interface ExtrasOptions {
  /** Scrapes from one asking to the next; 0 is never. */
  readonly every: number;
  /** Most hosts of an answer. */
  readonly hostLimit: number;
  /** Whose turn: targets with different keys take different turns. */
  readonly key: string;
}

/** A target to which /clusters adds nothing is looked at again after so many turns; one that refuses it is asked again. */
const SELDOM = 12;
/** Two starts told by whole seconds are different ones only if they are further apart than this. */
const START_TOLERANCE_MS = 1500;
/** Statuses that say that there is no such answer here. */
const REFUSED: ReadonlySet<number> = new Set([400, 401, 403, 404, 405]);

/**
 * Asks for /clusters now and then, right after a scrape and over its connection: at first sight of a process, then in
 * turns; once per process for its listeners. Never rejects: whatever goes wrong here is no failure of the scrape.
 */
export class ExtrasScraper {
  private readonly admin: Asks;
  private every: number;
  private hostLimit: number;
  private readonly hash: number;
  private path = CLUSTERS_PATH;
  private scrapes = 0;
  private refusedUntil = 0;
  private startedAt: number | undefined;
  private version: string | undefined;
  private isDue = true;
  private listenersDue = true;

  constructor(admin: Asks, { every, hostLimit, key }: ExtrasOptions) {
    this.hostLimit = hostLimit;
    this.admin = admin;
    this.every = every;
    this.hash = createHash('sha256').update(`clusters ${key}`).digest().readUInt32BE(0);
  }

  configure({ every, hostLimit }: Omit<ExtrasOptions, 'key'>): void {
    this.every = every;
    this.hostLimit = hostLimit;
  }

  /**
   * To be called after each good scrape, once: whether there is something to ask for now.
   * @param wanted whether it adds enough to be asked for at every turn.
   */
  isTurn(good: GoodScrape, wanted: boolean): boolean {
    if (this.every === 0) return false;
    this.scrapes++;
    this.noteProcess(good);
    const turns = this.every * (wanted ? 1 : SELDOM);
    const isTurn = (this.scrapes + this.hash) % turns === 0;
    if (!this.isDue && !isTurn) return false;
    if (this.scrapes < this.refusedUntil) return false;
    this.isDue = false;
    return true;
  }

  /** Another process is looked at from the start; another version may allow what was refused. */
  private noteProcess({ info, infoAt }: GoodScrape): void {
    if (!info) return;
    const startedAt = infoAt - info.uptimeSeconds * 1000;
    const isOther = this.startedAt === undefined || Math.abs(startedAt - this.startedAt) > START_TOLERANCE_MS;
    if (isOther) [this.isDue, this.listenersDue] = [true, true];
    if (info.version !== this.version) this.refusedUntil = 0;
    this.startedAt = startedAt;
    this.version = info.version;
  }

  /** Asks after the scrape that was answered at `at`. */
  async ask({ at }: Pick<GoodScrape, 'at'>): Promise<ScrapedExtras> {
    const started = performance.now();
    let answer: AdminAnswer | undefined;
    const asked = (result: ClustersAsked['result'], error = ''): ClustersAsked => {
      const durationMs = performance.now() - started;
      return { at: answer?.at ?? at, durationMs, bodyBytes: answer?.body.length ?? 0, result, error };
    };
    try {
      answer = await this.askClusters();
      if (answer.status !== 200) return this.done(this.refusalOf(answer, asked), started);
      const told = { asked: asked('ok'), hosts: { clusters: this.read(answer.body) } };
      return this.done({ ...told, listeners: await this.askListeners() }, started);
    } catch (error) {
      return this.done({ asked: asked('failed', reasonOf(error)), hosts: undefined, listeners: undefined }, started);
    } finally {
      answer?.release?.();
    }
  }

  private read(body: Buffer): ClusterHosts[] {
    const clusters = readClusters(body);
    const hosts = clusters.reduce((sum, cluster) => sum + cluster.hosts.length, 0);
    if (hosts <= this.hostLimit) return clusters;
    throw new ScrapeError(`/clusters has ${hosts} hosts, more than scrape.series_limit (${this.hostLimit}): raise it`);
  }

  private done(extras: Omit<ScrapedExtras, 'durationMs'>, started: number): ScrapedExtras {
    return { ...extras, durationMs: performance.now() - started };
  }

  /** In the form that was taken last; the other one where that is refused. */
  private async askClusters(): Promise<AdminAnswer> {
    const answer = await this.admin.get(this.path);
    if (!REFUSED.has(answer.status)) return answer;
    answer.release?.();
    this.path = this.path === CLUSTERS_PATH ? CLUSTERS_TEXT_PATH : CLUSTERS_PATH;
    return this.admin.get(this.path);
  }

  private refusalOf(
    { status }: AdminAnswer,
    asked: (result: ClustersAsked['result'], error: string) => ClustersAsked,
  ): Omit<ScrapedExtras, 'durationMs'> {
    if (!REFUSED.has(status)) throw new ScrapeError(`/clusters was answered with status ${status}`);
    this.refusedUntil = this.scrapes + this.every * SELDOM;
    const reason = `Envoy refuses /clusters (${status}): allow it in admin.allow_paths, with "prefix: /clusters"`;
    return { asked: asked('refused', reason), hosts: { refused: true }, listeners: undefined };
  }

  private async askListeners(): Promise<readonly string[] | undefined> {
    if (!this.listenersDue) return undefined;
    try {
      const answer = await this.admin.get(LISTENERS_PATH);
      this.listenersDue = false;
      const listeners = answer.status === 200 ? readListeners(answer.body) : [];
      answer.release?.();
      return listeners;
    } catch {
      return undefined;
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ClustersError) return `the answer is not Envoy's /clusters: ${error.message}`;
  return error instanceof ScrapeError ? error.message : `unexpected: ${error instanceof Error ? error.message : error}`;
}
