/** A terminal that is drawn on anew and anew, and is left as it was found. */

import type { Screen } from './terminal.ts';

const ESCAPE = '\u001b[';
/** Another screen than that of the shell, without a cursor; and back. */
const ENTER = `${ESCAPE}?1049h${ESCAPE}?25l`;
const LEAVE = `${ESCAPE}?25h${ESCAPE}?1049l`;
const HOME = `${ESCAPE}H`;
const CLEAR_LINE = `${ESCAPE}K`;
const CLEAR_BELOW = `${ESCAPE}J`;

export function enterScreen(screen: Screen): void {
  screen.write(ENTER);
}

export function leaveScreen(screen: Screen): void {
  screen.write(LEAVE);
}

/** A line, and in which colour it is where there are any. */
export interface ScreenLine {
  readonly text: string;
  readonly colour?: Colour;
}

export type Colour = 'red' | 'yellow' | 'dim' | 'bold';

const CODES: Readonly<Record<Colour, string>> = { red: '31', yellow: '33', dim: '2', bold: '1' };

/** Replaces what is there, with as much as there is room for; what has none is counted. */
export function drawScreen(screen: Screen, lines: readonly ScreenLine[]): void {
  const room = Math.max(1, screen.rows());
  const cut = lines.length - room;
  const shown = cut > 0 ? [...lines.slice(0, room - 1), { text: `… ${cut + 1} more` }] : lines;
  const drawn = shown.map((line) => coloured(screen, { ...line, text: fitting(line.text, screen.columns()) }));
  screen.write(`${HOME}${drawn.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`);
}

export function coloured({ colours }: Pick<Screen, 'colours'>, { text, colour }: ScreenLine): string {
  return colours && colour ? `${ESCAPE}${CODES[colour]}m${text}${ESCAPE}0m` : text;
}

function fitting(text: string, columns: number): string {
  const letters = [...text];
  return letters.length <= columns ? text : `${letters.slice(0, Math.max(0, columns - 1)).join('')}…`;
}
