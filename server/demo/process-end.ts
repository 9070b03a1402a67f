import type { ChildProcess } from 'node:child_process';

const killAfterMs = 3_000;

export interface Ending {
  /** Resolves when the process is gone, or could not be started; true if `stop` was called before. */
  readonly exited: Promise<boolean>;
  /** SIGTERM, then SIGKILL for what has not ended 3 s later. Resolves when the process is gone. */
  stop(): Promise<void>;
}

export function endingOf(child: ChildProcess): Ending {
  let wasAsked = false;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => {
      if (child.pid === undefined) resolve();
    });
  });
  return {
    exited: gone.then(() => wasAsked),
    async stop() {
      wasAsked = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      await gone;
      clearTimeout(timer);
    },
  };
}
