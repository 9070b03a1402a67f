import { EventEmitter } from 'node:events';

export interface StopSignalsOptions {
  readonly source: Pick<NodeJS.EventEmitter, 'on'>;
  /** Milliseconds, from any start. */
  readonly now: () => number;
  readonly exit: (code: number) => void;
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** npm hands on a Ctrl-C that the terminal has sent to this process too, so one key press comes as two signals. */
const SAME_PRESS_MS = 300;

/** Emits the first SIGINT or SIGTERM under its name; a second one, pressed later, ends the process at once. */
export class StopSignals extends EventEmitter {
  private firstAt: number | undefined;

  constructor({ source, now, exit }: StopSignalsOptions) {
    super();
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      source.on(name, () => {
        if (this.firstAt === undefined) {
          this.firstAt = now();
          this.emit(name);
        } else if (now() - this.firstAt >= SAME_PRESS_MS) exit(EXIT_CODES[name]);
      });
    }
  }
}
