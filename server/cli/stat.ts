import { parseDuration } from '../model/duration.ts';
import { CredentialsError } from '../reach/credentials.ts';
import { codeOf, PlainError, plainLine } from './plain-error.ts';
import { errorSchema, type ServicesAnswer, servicesSchema } from './services-answer.ts';
import { printedLines, type Watch, watchStat } from './stat-watch.ts';
import type { Terminal } from './terminal.ts';

export interface StatCommand {
  /** Where the dashboard is. */
  readonly url: string;
  /** Such as `1m`. */
  readonly window: string;
  readonly output: 'table' | 'json';
  readonly terminal: Terminal;
  readonly fetch: Fetch;
  /** Where it is to be asked again and again: how often, such as `5s`, and until when. */
  readonly watch?: (Pick<Watch, 'stop' | 'sleep' | 'now'> & { readonly every: string }) | undefined;
}

/** What is needed of fetch. */
export type Fetch = (
  address: URL,
  options: { readonly signal: AbortSignal; readonly headers: Record<string, string> },
) => Promise<Pick<Response, 'ok' | 'status' | 'text'>>;

const TIMEOUT_MS = 10_000;
const LEAST_EVERY_MS = 1000;
const SIGN_IN = 'write name and password, or a token, in a file and give it by --http.config.file';

/** Prints the golden signals of every service, once or again and again; gives the exit code. */
export async function stat(command: StatCommand): Promise<number> {
  const { url, window, output, terminal, fetch, watch } = command;
  const askOnce = async (stop?: AbortSignal) => {
    const body = await ask(addressOf(url, window), { base: url, fetch, stop });
    return { body, answer: readAnswer(body, url) };
  };
  try {
    if (watch) await watchStat({ ...watch, ask: askOnce, url, output, terminal, everyMs: intervalOf(watch.every) });
    else {
      const { body, answer } = await askOnce();
      for (const line of output === 'json' ? [body] : printedLines(answer, terminal)) terminal.out(line);
    }
    return 0;
  } catch (error) {
    terminal.err(plainLine(error));
    return 1;
  }
}

function intervalOf(every: string): number {
  const ms = parseDuration(every);
  if (ms === undefined || ms < LEAST_EVERY_MS) throw new PlainError(`--every=${every}: at least 1s; write 5s or 1m`);
  return ms;
}

function addressOf(base: string, window: string): URL {
  if (!parseDuration(window)) throw new PlainError(`--window=${window}: not a duration; write 30s, 1m or 2h`);
  if (!/^https?:\/\//.test(base) || !URL.canParse(base)) {
    const isHost = /^[^/]+$/.test(base) && URL.canParse(`http://${base}`);
    const meant = isHost ? `http://${base}` : 'http://127.0.0.1:9191';
    throw new PlainError(`--url=${base}: not a web address; write ${meant}`);
  }
  const address = new URL(base);
  if (address.username !== '' || address.password !== '')
    throw new PlainError('--url: leave out user and password; write them in the file of --http.config.file');
  address.pathname = `${address.pathname.replace(/\/+$/, '')}/api/v1/services`;
  address.search = new URLSearchParams({ window }).toString();
  address.hash = '';
  return address;
}

interface Asking {
  readonly base: string;
  readonly fetch: Fetch;
  readonly stop: AbortSignal | undefined;
}

async function ask(address: URL, { base, fetch, stop }: Asking): Promise<string> {
  let answer: Awaited<ReturnType<Fetch>>;
  let body: string;
  try {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const signal = stop ? AbortSignal.any([timeout, stop]) : timeout;
    answer = await fetch(address, { signal, headers: { accept: 'application/json' } });
    body = await answer.text();
  } catch (error) {
    throw new PlainError(`${base} does not answer: ${reasonOf(error)}`);
  }
  if (answer.ok) return body;
  if (answer.status === 401) throw new PlainError(`${base} lets only some in: ${SIGN_IN}`);
  throw new PlainError(`${base} answered ${answer.status}: ${errorMessage(body) ?? 'is that Sidelight? see --url'}`);
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (codeOf(cause) === 'ECONNREFUSED') return 'connection refused; is Sidelight running there? see --url';
  if (cause instanceof CredentialsError) return cause.message;
  if (codeOf(cause) === 'ENOTFOUND') return 'the host name is not known; see --url';
  if (error instanceof Error && error.name === 'TimeoutError') return `nothing came within ${TIMEOUT_MS / 1000} s`;
  return plainLine(cause);
}

function readAnswer(body: string, base: string): ServicesAnswer {
  const answer = servicesSchema.safeParse(parsedJson(body));
  if (!answer.success) throw new PlainError(`${base} did not answer like Sidelight's API; see --url`);
  return answer.data;
}

function errorMessage(body: string): string | undefined {
  return errorSchema.safeParse(parsedJson(body)).data?.error.message;
}

function parsedJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
