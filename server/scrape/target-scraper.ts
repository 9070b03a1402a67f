import { CONNECTION_MANAGERS_PATH, SERVER_INFO_PATH, STATS_FORMS, type StatsForm } from '../envoy/requests.ts';
import { parseServerInfo, type ServerInfo } from '../envoy/server-info.ts';
import { connectionManagerNames } from '../envoy/stat-names.ts';
import { StatsError, type StatsReader, type StatsReading } from '../envoy/stats.ts';
import { TextStatsReader } from '../envoy/stats-text.ts';
import type { AdminAnswer } from './admin-client.ts';
import { ScrapeError, statusError } from './scrape-error.ts';

/** What is known of the process behind a connection. */
interface Process {
  readonly connection: number;
  /** Undefined where Envoy refuses /server_info. */
  readonly info: ServerInfo | undefined;
  readonly infoAt: number;
  readonly managers: ReadonlySet<string>;
}

export interface GoodScrape {
  readonly reading: StatsReading;
  readonly at: number;
  readonly bodyBytes: number;
  readonly info: ServerInfo | undefined;
  readonly infoAt: number;
  readonly managers: ReadonlySet<string>;
}

/** The part of an admin client that scraping needs. */
export interface Asks {
  get(path: string): Promise<AdminAnswer>;
}

/**
 * Scrapes one target: one request for /stats, in the cheapest form that it takes; /server_info only when the
 * connection is a new one or the scrape before failed, because then it may be another process than before.
 */
export class TargetScraper {
  private readonly admin: Asks;
  private form = 0;
  private reader: StatsReader;
  private process: Process | undefined;

  constructor(admin: Asks) {
    this.admin = admin;
    this.reader = STATS_FORMS[0].reader();
  }

  /** @throws ScrapeError with the reason in plain words. */
  async scrape(): Promise<GoodScrape> {
    try {
      return await this.scrapeOnce();
    } catch (error) {
      this.process = undefined;
      throw error;
    }
  }

  private async scrapeOnce(): Promise<GoodScrape> {
    const answer = await this.stats();
    const reading = this.read(answer.body);
    if (this.process?.connection !== answer.connection) this.process = await this.askProcess(answer.connection);
    const { info, infoAt, managers } = this.process;
    return { reading, at: answer.at, bodyBytes: answer.body.length, info, infoAt, managers };
  }

  /** Asks in the form that worked last, and in the next one where that is refused. */
  private async stats(): Promise<AdminAnswer> {
    for (;;) {
      const form = STATS_FORMS[this.form] ?? STATS_FORMS[0];
      const answer = await this.admin.get(form.path);
      if (answer.status === 200 && answer.contentType.startsWith(form.contentType)) return answer;
      if (!mayTakeOtherForm(answer) || this.form + 1 >= STATS_FORMS.length) throw refusal(answer, form);
      this.form++;
      this.reader = (STATS_FORMS[this.form] ?? STATS_FORMS[0]).reader();
    }
  }

  private read(body: Buffer): StatsReading {
    try {
      return this.reader.read(body);
    } catch (error) {
      if (error instanceof StatsError) throw new ScrapeError(`the answer is not Envoy's /stats: ${error.message}`);
      throw error;
    }
  }

  /** @throws ScrapeError when the process can't be told now: then nothing of this scrape may be counted. */
  private async askProcess(connection: number): Promise<Process> {
    const answer = await this.admin.get(SERVER_INFO_PATH);
    const refused = answer.status >= 400 && answer.status < 500;
    const info = refused ? undefined : parseServerInfo(answer.body);
    if (!refused && !info)
      throw new ScrapeError(`/server_info was answered with status ${answer.status} and no server information`);
    const managers = await this.askManagers();
    if (managers.connection !== connection || answer.connection !== connection) {
      throw new ScrapeError('Envoy closed the connection between two answers: counted at the next scrape');
    }
    return { connection, info, infoAt: answer.at, managers: managers.names };
  }

  /** Connection managers; none where Envoy refuses to tell. */
  private async askManagers(): Promise<{ names: ReadonlySet<string>; connection: number }> {
    const answer = await this.admin.get(CONNECTION_MANAGERS_PATH);
    return { names: answer.status === 200 ? readManagers(answer.body) : new Set(), connection: answer.connection };
  }
}

function readManagers(body: Buffer): Set<string> {
  try {
    return connectionManagerNames(new TextStatsReader().read(body).layout.scalars);
  } catch {
    return new Set();
  }
}

/** A refusal that is about the form, not about /stats as such. */
function mayTakeOtherForm({ status }: AdminAnswer): boolean {
  return status === 400 || status === 200;
}

function refusal(answer: AdminAnswer, form: StatsForm): ScrapeError {
  if (answer.status !== 200) return statusError(answer.status, answer.body);
  return new ScrapeError(
    `/stats was answered with ${answer.contentType || 'no content type'} instead of ${form.contentType}: is it Envoy's admin port?`,
  );
}
