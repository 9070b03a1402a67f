/** `sidelight rules test`: tries alert rules on what the file of the store holds. */

import { type Rule, rulesOf } from '../alerts/builtin-rules.ts';
import { type ReplayResult, replay } from '../alerts/replay/replay.ts';
import { storedTargets } from '../alerts/replay/stored-targets.ts';
import type { ConfigFlags } from '../config/flags.ts';
import { closest } from '../config/suggest.ts';
import { parseDuration } from '../model/duration.ts';
import { type ReadFile, readFile } from '../store/sqlite/read-file.ts';
import { configOf } from './db.ts';
import { PlainError } from './plain-error.ts';
import { rulesTestLines } from './rules-test-table.ts';
import type { Terminal } from './terminal.ts';

export interface RulesTestCommand {
  readonly file: string | undefined;
  readonly flags: ConfigFlags;
  /** Such as `7d`. */
  readonly window: string;
  readonly maxAlerts: string;
  /** Names of those that are to be tried; none: all. */
  readonly rules: readonly string[];
  readonly output: 'table' | 'json';
  readonly terminal: Terminal;
  /** Takes what is to be shown of how far it has got; empty in the end. */
  readonly progress: (text: string) => void;
}

/** What is printed as JSON. */
interface Tried extends ReplayResult {
  readonly window: string;
  readonly maxAlerts: number;
}

const LEAST_WINDOW_MS = 60_000;
const MOST_WINDOW_MS = 400 * 86_400_000;
const MOST_ALERTS = 10_000;
const SHOWN_EVERY_MS = 200;

/** Gives the exit code. @throws PlainError, StoreError */
export async function rulesTest(command: RulesTestCommand): Promise<number> {
  const config = configOf(command);
  const windowMs = windowOf(command.window);
  const maxAlerts = maxAlertsOf(command.maxAlerts);
  const rules = chosen(rulesOf(config.alerts), command.rules);
  const { storage, scrape, alerts } = config;
  const file = readFile({ ...storage, maxBytes: storage.maxSizeBytes, intervalMs: scrape.intervalMs });
  try {
    const result = await tried(file, { command, windowMs, maxAlerts, rules, intervalMs: alerts.intervalMs });
    const answer: Tried = { window: command.window, maxAlerts, ...result };
    const lines = command.output === 'json' ? [JSON.stringify(answer)] : rulesTestLines(answer, windowMs);
    for (const line of lines) command.terminal.out(line);
    return 0;
  } finally {
    file.close();
  }
}

interface Trial {
  readonly command: RulesTestCommand;
  readonly windowMs: number;
  readonly maxAlerts: number;
  readonly rules: readonly Rule[];
  readonly intervalMs: number;
}

async function tried(
  file: ReadFile,
  { command, windowMs, maxAlerts, rules, intervalMs }: Trial,
): Promise<ReplayResult> {
  const stored = file.loadTargets();
  const { tiers, oldest, path } = file.status();
  if (oldest === null || stored.length === 0)
    throw new PlainError(`${path} holds no history yet: rules can be tried once something has been scraped`);
  const to = Math.min(Date.now(), Math.max(...stored.map(({ lastScrape }) => lastScrape)));
  let told = 0;
  try {
    return await replay({
      ...storedTargets(stored),
      store: { sums: async (query) => file.sums(query) },
      tiers,
      rules,
      from: Math.max(to - windowMs, oldest),
      to,
      intervalMs,
      maxAlerts,
      limits: { deadline: Number.POSITIVE_INFINITY, cancelled: new Int32Array(new SharedArrayBuffer(4)) },
      onProgress: (done) => {
        if (Date.now() - told < SHOWN_EVERY_MS) return;
        told = Date.now();
        command.progress(`trying ${rules.length} rules on the past: ${Math.floor(100 * done)} %`);
      },
    });
  } finally {
    command.progress('');
  }
}

function windowOf(text: string): number {
  const window = parseDuration(text);
  if (window !== undefined && window >= LEAST_WINDOW_MS && window <= MOST_WINDOW_MS) return window;
  throw new PlainError(`--window=${text}: not a duration from 1m to 400d; write 7d or 12h`);
}

function maxAlertsOf(text: string): number {
  const most = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (most <= MOST_ALERTS) return most;
  throw new PlainError(`--max-alerts=${text}: not a whole number from 0 to ${MOST_ALERTS}; write 5`);
}

function chosen(rules: readonly Rule[], names: readonly string[]): readonly Rule[] {
  const known = rules.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const meant = closest(unknown, known);
    const hint = meant === undefined ? `rules are ${known.join(', ')}` : `did you mean ${meant}?`;
    throw new PlainError(`--rule=${unknown}: there is no such rule; ${hint}`);
  }
  if (rules.length === 0)
    throw new PlainError('there is no rule to try: alerts.defaults is false, and alerts.rules is empty');
  return names.length === 0 ? rules : rules.filter(({ name }) => names.includes(name));
}
