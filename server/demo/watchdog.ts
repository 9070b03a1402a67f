import { fork } from 'node:child_process';

/** Processes that must not outlive the mesh's runner, which cannot end them itself after a kill -9. */
export interface Watchdog {
  readonly pid: number | undefined;
  watch(pid: number): void;
  /** To be called once the process has ended, since its id may be given to another one. */
  forget(pid: number): void;
  /** Ends the watchdog; what it watches stays. */
  stop(): Promise<void>;
}

export type WatchdogMessage = { watch: number } | { forget: number };

/** Starts the process of watchdog-script.ts. */
export function startWatchdog(): Watchdog {
  const child = fork(new URL('./watchdog-script.ts', import.meta.url), [], {
    execArgv: [],
    detached: true, // Ctrl-C in a terminal reaches the whole foreground group: the watchdog must outlive it
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const send = (message: WatchdogMessage) => {
    if (child.connected) child.send(message);
  };
  return {
    pid: child.pid,
    watch: (pid) => send({ watch: pid }),
    forget: (pid) => send({ forget: pid }),
    stop() {
      child.kill('SIGKILL');
      return exited;
    },
  };
}
