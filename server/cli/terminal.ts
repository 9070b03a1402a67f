/** Where a command writes; both take whole lines without their end. */
export interface Terminal {
  /** Answers, on standard output. */
  readonly out: (line: string) => void;
  /** Errors, on standard error. */
  readonly err: (line: string) => void;
}
