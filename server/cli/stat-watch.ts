import { formatDuration } from '../model/duration.ts';
import { plainLine } from './plain-error.ts';
import { coloured, drawScreen, enterScreen, leaveScreen, type ScreenLine } from './screen.ts';
import type { ServicesAnswer } from './services-answer.ts';
import { screenLines, statLines } from './stat-table.ts';
import type { Terminal } from './terminal.ts';

export interface Watch {
  /** Asks once. */
  readonly ask: (stop: AbortSignal) => Promise<{ readonly body: string; readonly answer: ServicesAnswer }>;
  /** Where it is asked. */
  readonly url: string;
  readonly everyMs: number;
  readonly output: 'table' | 'json';
  readonly terminal: Terminal;
  /** Ends the watching. */
  readonly stop: AbortSignal;
  /** Resolves after so many milliseconds, or when `stop` is aborted. */
  readonly sleep: (ms: number, stop: AbortSignal) => Promise<void>;
  readonly now: () => Date;
}

/**
 * Asks again and again until it is stopped: a terminal is drawn on in place, elsewhere every answer is printed below the
 * one before. A first answer that fails ends it; later ones may, and the figures that are shown are told to be old.
 * @throws PlainError when the first answer fails
 */
export async function watchStat(watch: Watch): Promise<void> {
  const screen = watch.output === 'table' ? watch.terminal.screen : undefined;
  let newest = { ...(await watch.ask(watch.stop)), at: watch.now() };
  let trouble = '';
  if (screen) enterScreen(screen);
  try {
    for (;;) {
      if (screen) drawScreen(screen, page(watch, newest, trouble));
      else if (trouble === '') print(watch, newest);
      else watch.terminal.err(trouble);
      await watch.sleep(watch.everyMs, watch.stop);
      if (watch.stop.aborted) return;
      try {
        newest = { ...(await watch.ask(watch.stop)), at: watch.now() };
        trouble = '';
      } catch (error) {
        trouble = plainLine(error);
      }
      if (watch.stop.aborted) return;
    }
  } finally {
    if (screen) leaveScreen(screen);
  }
}

interface Asked {
  readonly body: string;
  readonly answer: ServicesAnswer;
  readonly at: Date;
}

function page({ url, everyMs, terminal }: Watch, { answer, at }: Asked, trouble: string): ScreenLine[] {
  const columns = terminal.screen?.columns() ?? 0;
  const head = `Sidelight at ${url}, last ${answer.window}, every ${formatDuration(everyMs)}; Ctrl-C ends`;
  const state: ScreenLine =
    trouble === ''
      ? { text: clock(at), colour: 'dim' }
      : { text: `Figures of ${clock(at)}: ${trouble}`, colour: 'red' };
  return [{ text: head, colour: 'bold' }, state, { text: '' }, ...screenLines(answer, columns)];
}

function print({ output, terminal }: Watch, { body, answer, at }: Asked): void {
  if (output === 'json') terminal.out(body);
  else for (const line of [clock(at), ...statLines(answer), '']) terminal.out(line);
}

function clock(at: Date): string {
  return at.toTimeString().slice(0, 8);
}

/** The lines of one answer, coloured where a terminal is. */
export function printedLines(answer: ServicesAnswer, { screen }: Terminal): string[] {
  return screen
    ? screenLines(answer, Number.POSITIVE_INFINITY).map((line) => coloured(screen, line))
    : statLines(answer);
}
