import { stat } from 'node:fs/promises';

/** How often files are looked at; watching them would miss mounted secrets that are swapped by links. */
const LOOK_MS = 5000;

export interface FileChangesOptions {
  readonly onChange: () => void;
  readonly lookMs?: number;
}

/** Tells when one of some files is another than before. */
export class FileChanges {
  private readonly onChange: () => void;
  private readonly timer: NodeJS.Timeout;
  private paths: readonly string[] = [];
  private known: Promise<string> = Promise.resolve('[]');

  constructor({ onChange, lookMs = LOOK_MS }: FileChangesOptions) {
    this.onChange = onChange;
    this.timer = setInterval(() => void this.look(), lookMs);
    this.timer.unref();
  }

  /** Which files count from now on, as they are now. */
  watch(paths: readonly string[]): void {
    this.paths = paths;
    this.known = marksOf(paths);
  }

  /** Looks at once. */
  async look(): Promise<void> {
    const before = this.known;
    const [was, is] = await Promise.all([before, marksOf(this.paths)]);
    if (was === is || this.known !== before) return;
    this.known = Promise.resolve(is);
    this.onChange();
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

/** What tells one state of files from another. */
async function marksOf(paths: readonly string[]): Promise<string> {
  const marks = paths.map((path) =>
    stat(path).then(
      ({ ino, size, mtimeMs }) => [ino, size, mtimeMs],
      () => [],
    ),
  );
  return JSON.stringify(await Promise.all(marks));
}
