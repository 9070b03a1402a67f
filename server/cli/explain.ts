import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { hasInclusiveBounds } from '../envoy/requests.ts';
import { StatsError, type StatsReading } from '../envoy/stats.ts';
import { formOf, readerOf } from '../envoy/stats-form.ts';
import { unreadLines } from '../envoy/unread-lines.ts';
import { type Explanation, explain } from '../mesh/explain.ts';
import { compileNamingRules } from '../mesh/naming-rules.ts';
import type { Labels } from '../model/labels.ts';
import { answerOf, type GivenAnswer } from './explain-answer.ts';
import { explanationLines, type Printed } from './explain-table.ts';
import { PlainError, plainLine } from './plain-error.ts';
import { withoutSecrets } from './secrets.ts';
import type { Terminal } from './terminal.ts';

export interface ExplainCommand {
  /** A target's address, or the path of a file with a saved answer. */
  readonly subject: string;
  readonly output: 'table' | 'json';
  /** Whether to list every stat. */
  readonly all: boolean;
  /** Such as `service=checkout`; they beat the configuration's. */
  readonly labels: readonly string[];
  /** File with a saved answer of /server_info. */
  readonly serverInfo: string | undefined;
  readonly configFile: string | undefined;
  readonly terminal: Terminal;
}

/** Prints how a target's answer is understood, without secrets; gives the exit code. */
export async function explainCommand(command: ExplainCommand): Promise<number> {
  const { terminal, output } = command;
  const loaded = loadConfig(command.configFile);
  if ('errors' in loaded) {
    for (const line of loaded.errors) terminal.err(line);
    return 1;
  }
  try {
    const printed = clean(await explanation(command, loaded.config));
    const lines = output === 'json' ? [JSON.stringify(printed, undefined, 2)] : explanationLines(printed);
    for (const line of lines) terminal.out(line);
    return 0;
  } catch (error) {
    terminal.err(withoutSecrets(plainLine(error)));
    return 1;
  }
}

async function explanation({ subject, serverInfo, all, ...command }: ExplainCommand, config: Config): Promise<Printed> {
  const labels = readLabels(command.labels);
  const answer = await answerOf({ subject, serverInfo, config });
  const { stats, ...explained } = explainAnswer({ ...answer, labels: { ...answer.labels, ...labels } }, config);
  return { ...explained, asked: answer.asked, ...(all ? { stats } : {}) };
}

function explainAnswer(answer: GivenAnswer, { peers, local, scrape }: Config): Explanation {
  const { body, info } = answer;
  const form = formOf(body);
  const reader = readerOf(form, hasInclusiveBounds(info?.version ?? ''));
  let reading: StatsReading;
  try {
    reading = reader.read(body);
  } catch (error) {
    if (error instanceof StatsError)
      throw new PlainError(`${answer.address}: not Envoy's /stats: ${whatItIs(body) ?? error.message}`);
    throw error;
  }
  const rules = compileNamingRules(peers, local);
  const { precision } = reader;
  const unread = unreadLines(body, form);
  return explain({
    ...answer,
    form,
    bytes: body.length,
    reading,
    unread,
    precision,
    rules,
    seriesLimit: scrape.seriesLimit,
  });
}

function whatItIs(body: Buffer): string | undefined {
  const head = body.toString('utf8', 0, 200).trimStart();
  if (head === '') return 'it is empty';
  return /^<(?:!doctype|html|\?xml)/i.test(head) ? 'it is a web page' : undefined;
}

function readLabels(pairs: readonly string[]): Labels {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) throw new PlainError(`--label=${pair}: not a label; write --label=service=checkout`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

/** Takes secrets out of every text of a value. */
function clean<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, inner: unknown) =>
    typeof inner === 'string' ? withoutSecrets(inner) : inner,
  ) as T;
}
