/** Where a command writes; both take whole lines without their end. */
export interface Terminal {
  /** Answers, on standard output. */
  readonly out: (line: string) => void;
  /** Errors, on standard error. */
  readonly err: (line: string) => void;
  /** Standard output where that is a terminal, rather than a file or a pipe. */
  readonly screen?: Screen | undefined;
}

/** A terminal as it is drawn on. */
export interface Screen {
  readonly columns: () => number;
  readonly rows: () => number;
  /** False where NO_COLOR asks for none, or the terminal has none. */
  readonly colours: boolean;
  readonly write: (text: string) => void;
}

const USUAL = { columns: 80, rows: 24 };

/** The screen behind a stream; undefined where that is no terminal. */
export function screenOf(
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'rows' | 'write'>,
  environment: Readonly<Record<string, string | undefined>>,
): Screen | undefined {
  if (!stream.isTTY) return undefined;
  return {
    columns: () => stream.columns || USUAL.columns,
    rows: () => stream.rows || USUAL.rows,
    colours: !environment.NO_COLOR && environment.TERM !== 'dumb',
    write: (text) => void stream.write(text),
  };
}
