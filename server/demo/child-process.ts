import { fork, type ChildProcess as NodeChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { DemoError } from './demo-error.ts';
import { type Ending, endingOf } from './process-end.ts';

export interface ChildProcess extends Ending {
  readonly pid: number | undefined;
  readonly logPath: string;
  /** Resolves when the started function has; rejects with its error's message. */
  readonly ready: Promise<void>;
}

/** What the process of child-script.ts tells. */
export type ChildMessage = { state: 'ready' } | { state: 'failed'; message: string };

export interface ChildOptions {
  /** Path of a module. */
  module: string;
  /** The exported function to call; it takes `options` and resolves to a Running. */
  start: string;
  options: Record<string, unknown>;
  /** Takes stdout and stderr. */
  logPath: string;
}

/** Runs a function of a module in a process of its own, which ends when this one does. */
export function startChild({ module, start, options, logPath }: ChildOptions): ChildProcess {
  const log = openSync(logPath, 'w');
  const child = fork(new URL('./child-script.ts', import.meta.url), [module, start, JSON.stringify(options)], {
    execArgv: [],
    detached: true, // not ended by Ctrl-C in a terminal, but in its turn
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const ending = endingOf(child);
  const endedEarly = ending.exited.then(() => {
    throw new DemoError(`the process of ${module} ended at once, its log is ${logPath}`);
  });
  return { ...ending, pid: child.pid, logPath, ready: Promise.race([readiness(child), endedEarly]) };
}

function readiness(child: NodeChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: ChildMessage) => {
      if (message.state === 'ready') resolve();
      else reject(new DemoError(message.message));
    });
  });
}
