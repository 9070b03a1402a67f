import { setImmediate } from 'node:timers/promises';
import { plainlyTooMany } from '../envoy/plainly-too-many.ts';
import {
  CONNECTION_MANAGERS_PATH,
  copyEndings,
  hasInclusiveBounds,
  hidesRequests,
  PROMETHEUS_FORM,
  pathOf,
  type Refusal,
  SERVER_INFO_PATH,
  STATS_FORMS,
  type StatsForm,
  takesNarrowFilter,
  tellsConnectionLengths,
  withZones,
} from '../envoy/requests.ts';
import { parseServerInfo, type ServerInfo } from '../envoy/server-info.ts';
import { connectionManagerNames } from '../envoy/stat-names.ts';
import {
  owned,
  type Precision,
  StatsError,
  type StatsLayout,
  type StatsReader,
  type StatsReading,
} from '../envoy/stats.ts';
import { TextStatsReader } from '../envoy/stats-text.ts';
import type { AdminAnswer } from './admin-client.ts';
import { listedNames } from './listed-names.ts';
import { ScrapeError, statusError } from './scrape-error.ts';
import { ZoneTurns } from './zone-turns.ts';

/** What is known of the process behind a connection. */
interface Process {
  readonly connection: number;
  /** Undefined where Envoy refuses /server_info. */
  readonly info: ServerInfo | undefined;
  readonly infoAt: number;
  readonly managers: ReadonlySet<string>;
  readonly hidesRequests: boolean;
}

export interface GoodScrape {
  /** Lent by its reader: it holds until another answer is read, of whatever target. */
  readonly reading: StatsReading;
  /** How well the form that the target takes tells latencies. */
  readonly precision: Precision;
  readonly at: number;
  readonly bodyBytes: number;
  readonly info: ServerInfo | undefined;
  readonly infoAt: number;
  readonly managers: ReadonlySet<string>;
  /** `told`: the reading holds everything by zone; `none`: there is nothing by zone; absent: not asked this time. */
  readonly zones?: 'told' | 'none';
  /** The same of how long bare connections lasted; `none`: the target never had any. */
  readonly connections?: 'told' | 'none';
}

/** The part of an admin client that scraping needs. */
export interface Asks {
  get(path: string): Promise<AdminAnswer>;
}

export interface TargetScraperSettings {
  /** At every how many scrapes zones are asked for; 0: never. */
  readonly zonesEvery: number;
  /** Most stats that will be used; default: any number. */
  readonly seriesLimit?: number;
}

/**
 * Scrapes one target: one request for /stats, in the best form that it takes, which is looked for again when another
 * version of Envoy answers; /server_info only when the
 * connection is a new one or the scrape before failed, because then it may be another process than before; what it has
 * by zone is left out at most scrapes, and how long connections lasted is asked for only where some are bare ones.
 */
export class TargetScraper {
  private readonly admin: Asks;
  /** The form that was taken last. */
  private form: StatsForm = STATS_FORMS[0];
  private boundsInclusive = false;
  private reader: StatsReader = this.form.reader(this.boundsInclusive);
  /** Of the form that was taken last: one for answers with everything by zone, one for the others. */
  private readonly readers = new Map<boolean, StatsReader>();
  private layout: StatsLayout | undefined;
  /** Ends of the names of copies that are left out of what is asked for; none: everything is asked for. */
  private leftOut: readonly string[] = [];
  private narrowRefused = false;
  /** Whether the last answer was asked for with everything by zone. */
  private holdsZones = true;
  /** Whether a cluster with bare connections was ever seen. */
  private hasBare = false;
  /** Whether the last answer was asked for with how long connections lasted. */
  private holdsLengths = false;
  private onlyNeeded = false;
  private process: Process | undefined;
  /** Envoy's, as last told. */
  private version = '';

  private readingMs = 0;
  /** Whether Istio's own metrics are asked for, as the rest holds no requests. */
  private asksIstio = false;
  private seriesLimit: number;
  private readonly zones: ZoneTurns;

  constructor(admin: Asks, { zonesEvery, seriesLimit = Infinity }: TargetScraperSettings = { zonesEvery: 0 }) {
    this.admin = admin;
    this.seriesLimit = seriesLimit;
    this.zones = new ZoneTurns(zonesEvery);
  }

  /** How long reading answers took since this was asked for last. */
  takeReadingMs(): number {
    const taken = this.readingMs;
    this.readingMs = 0;
    return taken;
  }

  /** Counts from the next scrape on. */
  configure({ zonesEvery, seriesLimit = Infinity }: TargetScraperSettings): void {
    this.seriesLimit = seriesLimit;
    this.zones.change(zonesEvery);
  }

  /**
   * `onlyNeeded`: nothing by zone, whose turn then is later.
   * @throws ScrapeError with the reason in plain words.
   */
  async scrape({ onlyNeeded }: { onlyNeeded: boolean } = { onlyNeeded: false }): Promise<GoodScrape> {
    this.onlyNeeded = onlyNeeded;
    try {
      return await this.scrapeOnce();
    } catch (error) {
      this.process = undefined;
      throw error;
    }
  }

  /** `isAgain`: whether it follows at once on one that took another form. */
  private async scrapeOnce(isAgain = false): Promise<GoodScrape> {
    const { answer, reading } = await this.stats();
    if (this.process?.connection === answer.connection) {
      const good = this.goodScrape(answer, reading, this.process);
      answer.release?.();
      return good;
    }
    // Other targets are read while this one is asked more.
    const kept = owned(reading);
    this.process = await this.askProcess(answer);
    const version = this.process.info?.version ?? this.version;
    const isAnother = version !== this.version && this.version !== '';
    this.version = version;
    if (!isAgain && this.changesForIstio(this.process, isAnother)) {
      answer.release?.();
      return this.scrapeOnce(true);
    }
    const good = this.goodScrape(answer, (await this.rereadBuckets(answer, version)) ?? kept, this.process);
    answer.release?.();
    if (isAnother && !this.asksIstio) this.takeAnew(STATS_FORMS[0]);
    return good;
  }

  /** Whether to ask again at once: for Istio's own metrics where the rest holds no requests, or for the best form after that. */
  private changesForIstio({ hidesRequests: hides }: Process, isAnother: boolean): boolean {
    const asked = this.asksIstio && !isAnother;
    this.asksIstio = hides;
    if (hides === asked) return false;
    this.boundsInclusive = hasInclusiveBounds(this.version);
    this.takeAnew(hides ? PROMETHEUS_FORM : STATS_FORMS[0]);
    return true;
  }

  private goodScrape(answer: AdminAnswer, reading: StatsReading, process: Process): GoodScrape {
    const { info, infoAt, managers } = process;
    const { precision } = this.reader;
    if (reading.layout !== this.layout) {
      this.checkSize(reading.layout);
      this.layout = reading.layout;
      const listed = listedNames(reading.layout, info?.zone ?? '');
      this.zones.saw(listed.called);
      this.hasBare ||= listed.hasBareClusters;
      const narrows = !this.narrowRefused && takesNarrowFilter(this.version);
      this.leftOut = narrows ? copyEndings(listed.clusters, this.zones.leftOut) : [];
    }
    const zones = this.zones.turn(this.holdsZones);
    const connections = this.connectionsTold();
    const good = { reading, precision, at: answer.at, bodyBytes: answer.body.length, info, infoAt, managers };
    return { ...good, ...(zones && { zones }), ...(connections && { connections }) };
  }

  private checkSize(layout: StatsLayout): void {
    const stats = plainlyTooMany(layout, this.seriesLimit);
    if (stats > 0)
      throw new ScrapeError(
        `${stats} stats to use, more than scrape.series_limit (${this.seriesLimit}): raise it, or let Envoy show less (stats_matcher)`,
      );
  }

  private connectionsTold(): GoodScrape['connections'] {
    if (!this.hasBare) return 'none';
    return this.holdsLengths ? 'told' : undefined;
  }

  /** What a bucket holds depends on the version, which is known only now. */
  private async rereadBuckets(answer: AdminAnswer, version: string): Promise<StatsReading | undefined> {
    const inclusive = hasInclusiveBounds(version);
    if (inclusive === this.boundsInclusive) return undefined;
    this.boundsInclusive = inclusive;
    if (this.reader.precision !== 'buckets') return undefined;
    this.takeAnew(this.form);
    return this.lent(this.reader, answer.body);
  }

  /** Forgets what the readers remember of earlier answers. */
  private takeAnew(form: StatsForm): void {
    this.readers.clear();
    this.take(form, form.reader(this.boundsInclusive));
  }

  private take(form: StatsForm, reader: StatsReader): void {
    if (form !== this.form) this.readers.clear();
    this.form = form;
    this.reader = reader;
    this.readers.set(this.holdsZones, reader);
  }

  /** Asks in the form that was taken last, and where that is refused in the others that may do. */
  private async stats(): Promise<{ answer: AdminAnswer; reading: StatsReading }> {
    const refusals = new Set<Refusal>();
    let reason: ScrapeError | undefined;
    for (const form of [this.form, ...STATS_FORMS.filter((other) => other !== this.form)]) {
      if (reason && form !== STATS_FORMS[0] && !form.after.some((refusal) => refusals.has(refusal))) continue;
      const answer = await this.ask(form);
      const refusal = refusalOf(answer, form);
      const read = refusal ? undefined : await this.read(answer.body, form);
      if (read && !(read instanceof ScrapeError)) return { answer, reading: read };
      reason = read ?? reason ?? refusalError(answer, form);
      if (refusal === 'other' || (read && refusals.size === 0)) break;
      refusals.add(refusal ?? 'ignored');
    }
    throw reason;
  }

  /** Asks without the copies where the target's clusters allow it; a target that refuses that is not asked so again. */
  private async ask(form: StatsForm): Promise<AdminAnswer> {
    const leftOut = this.zones.due && !this.onlyNeeded ? withZones(this.leftOut) : this.leftOut;
    const narrows = leftOut.length > 0 && form.narrows === true;
    this.holdsZones = form.tellsZones !== false && (!narrows || withZones(leftOut).length === leftOut.length);
    const connectionLengths = this.hasBare;
    this.holdsLengths = tellsConnectionLengths(form, connectionLengths);
    const everything = pathOf(form, { leftOut: [], connectionLengths });
    if (!narrows) return this.admin.get(everything);
    const answer = await this.admin.get(pathOf(form, { leftOut, connectionLengths }));
    if (answer.status !== 400) return answer;
    this.leftOut = [];
    this.narrowRefused = true;
    this.holdsZones = true;
    return this.admin.get(everything);
  }

  private async lent(reader: StatsReader, body: Buffer): Promise<StatsReading> {
    const short = reader.shorten ? await reader.shorten(body, setImmediate) : body;
    const started = performance.now();
    try {
      return reader.lend(short);
    } finally {
      this.readingMs += performance.now() - started;
    }
  }

  /** An error for what is no /stats; undefined when the target told latencies by its own quantiles though asked for more. */
  private async read(body: Buffer, form: StatsForm): Promise<StatsReading | ScrapeError | undefined> {
    const known = form === this.form ? this.readers.get(this.holdsZones) : undefined;
    const reader = known ?? form.reader(this.boundsInclusive);
    try {
      const reading = await this.lent(reader, body);
      if (reader.precision === 'none' && form.precision !== 'none') return undefined;
      this.take(form, reader);
      return reading;
    } catch (error) {
      if (error instanceof StatsError) return new ScrapeError(`the answer is not Envoy's /stats: ${error.message}`);
      throw error;
    }
  }

  /** @throws ScrapeError when the process can't be told now: then nothing of this scrape may be counted. */
  private async askProcess(stats: AdminAnswer): Promise<Process> {
    const answer = await this.admin.get(SERVER_INFO_PATH);
    const refused = answer.status >= 400 && answer.status < 500;
    const info = refused ? undefined : parseServerInfo(answer.body);
    answer.release?.();
    if (!refused && !info)
      throw new ScrapeError(`/server_info was answered with status ${answer.status} and no server information`);
    if (info && answer.connection !== stats.connection && latestStart(info, answer.at) >= stats.at)
      throw new ScrapeError('Envoy may have restarted between two answers: counted at the next scrape');
    const told = await this.askManagers();
    return {
      connection: stats.connection,
      info,
      infoAt: answer.at,
      managers: told ?? new Set(),
      hidesRequests: told !== undefined && hidesRequests(info?.nodeId ?? '', told),
    };
  }

  /** Connection managers; undefined where Envoy refuses to tell. */
  private async askManagers(): Promise<ReadonlySet<string> | undefined> {
    const answer = await this.admin.get(CONNECTION_MANAGERS_PATH);
    const managers = answer.status === 200 ? readManagers(answer.body) : undefined;
    answer.release?.();
    return managers;
  }
}

/** Envoy tells whole seconds, cut off; it started at this moment or up to a second before. */
function latestStart({ uptimeSeconds }: ServerInfo, at: number): number {
  return at - uptimeSeconds * 1000;
}

function readManagers(body: Buffer): Set<string> {
  try {
    return connectionManagerNames(new TextStatsReader().read(body).layout.scalars);
  } catch {
    return new Set();
  }
}

const REFUSALS: Readonly<Record<number, Refusal>> = {
  400: 'parameters',
  403: 'path',
  404: 'path',
  405: 'path',
  414: 'length',
  431: 'length',
};

/** How an answer refuses a form; `other` where no other form would do either. Undefined for one to be read. */
function refusalOf({ status, contentType }: AdminAnswer, form: StatsForm): Refusal | 'other' | undefined {
  if (status !== 200) return REFUSALS[status] ?? 'other';
  return contentType.startsWith(form.contentType) ? undefined : 'type';
}

function refusalError(answer: AdminAnswer, form: StatsForm): ScrapeError {
  if (answer.status !== 200) return statusError(answer.status, answer.body);
  return new ScrapeError(
    `/stats was answered with ${answer.contentType || 'no content type'} instead of ${form.contentType}: is it Envoy's admin port?`,
  );
}
