/** A file that the configuration names can't be used. The message is one line that begins with its path. */
export class NamedFileError extends Error {
  override name = 'NamedFileError';
  /** Absolute path. */
  readonly file: string;

  constructor(file: string, problem: string) {
    super(`${file} ${problem}`);
    this.file = file;
  }
}
