import type { Logger } from 'pino';
import { plainLine, stackFor } from './plain-error.ts';
import { StopSignals } from './stop-signals.ts';

/** SIGINT and SIGTERM of this process, from now on. */
export function processSignals(): StopSignals {
  return new StopSignals({ source: process, now: () => performance.now(), exit: (code) => process.exit(code) });
}

/** A fault of the program itself is one line, with its stack at level debug, and ends the process. */
export function exitOnCrash(log: Logger): void {
  process.on('uncaughtException', (error) => {
    log.fatal(stackFor(log, error), `stopped by an unexpected error: ${plainLine(error)}`);
    process.exit(1);
  });
}
