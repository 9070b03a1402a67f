import type { TargetsAnswer } from '../api/contract.ts';
import type { ConfigFlags } from '../config/flags.ts';
import { loadConfig } from '../config/load.ts';
import { Discovery } from '../discovery/discovery.ts';
import { tableLines } from './table.ts';
import type { Terminal } from './terminal.ts';

export interface TargetsCommand {
  readonly file: string | undefined;
  readonly flags: ConfigFlags;
  readonly output: 'table' | 'json';
  readonly terminal: Terminal;
  /** Longest time to wait for first answers; 15 s by default. */
  readonly deadlineMs?: number;
}

type Listed = Pick<TargetsAnswer, 'targets' | 'dropped' | 'droppedTotal' | 'discovery'>;

/** Prints what discovery finds, without scraping it; gives the exit code: 1 when a mechanism fails. */
export async function targetsCommand(command: TargetsCommand): Promise<number> {
  const { file, flags, output, terminal, deadlineMs = 15_000 } = command;
  const loaded = loadConfig(file, flags);
  if ('errors' in loaded) {
    for (const line of loaded.errors) terminal.err(line);
    return 1;
  }
  const discovery = new Discovery({ surroundings: { now: Date.now, random: Math.random }, onTargets: () => {} });
  discovery.apply(loaded.config);
  await discovery.settled(AbortSignal.timeout(deadlineMs));
  const listed = listedOf(discovery);
  await discovery.stop();
  if (output === 'json') terminal.out(JSON.stringify(listed, null, 2));
  else for (const line of tableOf(listed)) terminal.out(line);
  const failed = listed.discovery.filter(({ error, answered }) => error !== '' || !answered);
  for (const { name, error } of failed) terminal.err(`${name}: ${error || `no answer within ${deadlineMs} ms`}`);
  return failed.length === 0 ? 0 : 1;
}

/** As /api/v1/targets says it of targets that have not been asked yet. */
function listedOf(discovery: Discovery): Listed {
  const { list, total } = discovery.dropped();
  const targets = discovery.current().map(({ key, labels, discoveredLabels }) => ({
    labels: { ...labels, address: key },
    discoveredLabels: { ...discoveredLabels },
    health: 'unknown' as const,
    lastError: '',
    lastScrape: null,
    scrapeDurationMs: null,
    bodyBytes: null,
    samples: null,
    envoyVersion: '',
    startedAt: null,
    restarts: [],
    scrapeIntervalMs: null,
    certificateExpiry: null,
    precision: 'unknown' as const,
    failureSource: 'unknown' as const,
    clusters: null,
    intervalMs: null,
    slowedDown: '',
    busyShare: null,
    note: discovery.note(key),
  }));
  const dropped = list.map(({ discoveredLabels, reason }) => ({ discoveredLabels: { ...discoveredLabels }, reason }));
  return { targets, dropped, droppedTotal: total, discovery: discovery.states() };
}

function tableOf({ targets, dropped, droppedTotal }: Listed): string[] {
  const lines = tableLines<Listed['targets'][number]>(
    [
      { head: 'TARGET', align: 'left', text: ({ labels }) => labels.address ?? '' },
      { head: 'LABELS', align: 'left', text: ({ labels: { address: _, ...labels } }) => labelsText(labels) },
      { head: 'NOTE', align: 'left', text: ({ note }) => note },
    ],
    targets,
  );
  const shown = targets.length === 0 ? ['no targets'] : lines;
  if (droppedTotal === 0) return shown;
  const more = droppedTotal > dropped.length ? [`and ${droppedTotal - dropped.length} more`] : [];
  const droppedLines = tableLines<Listed['dropped'][number]>(
    [
      {
        head: 'DROPPED',
        align: 'left',
        text: ({ discoveredLabels }) => discoveredLabels.__address__ ?? labelsText(discoveredLabels),
      },
      { head: 'REASON', align: 'left', text: ({ reason }) => reason },
    ],
    dropped,
  );
  return [...shown, '', ...droppedLines, ...more];
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
