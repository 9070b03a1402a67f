import type { Logger } from 'pino';

export interface QuietLogOptions {
  readonly log: Logger;
  /** How long a message is not repeated, in milliseconds. */
  readonly quietMs: number;
  readonly now: () => number;
}

interface Told {
  /** When it was written last. */
  at: number;
  /** How often it was held back since. */
  heldBack: number;
}

/** Different messages that are remembered per key; the oldest is forgotten first. */
const MESSAGES_PER_KEY = 8;

/**
 * Warns without repeating itself, for things that fail again and again, such as a target.
 * A message of a key is written at once the first time, then held back until `quietMs` have passed since it was
 * written; the next one says how many were held back. Other messages and other keys are told apart.
 */
export class QuietLog {
  private readonly options: QuietLogOptions;
  private readonly told = new Map<string, Map<string, Told>>();

  constructor(options: QuietLogOptions) {
    this.options = options;
  }

  /** Returns whether the message was written. */
  warn(key: string, message: string, fields: Record<string, unknown> = {}): boolean {
    const { log, quietMs, now } = this.options;
    const messages = this.messagesOf(key);
    const told = messages.get(message);
    if (told !== undefined && now() - told.at < quietMs) {
      told.heldBack++;
      return false;
    }
    const repeats = told === undefined || told.heldBack === 0 ? {} : { heldBack: told.heldBack };
    log.warn({ ...fields, ...repeats }, message);
    messages.delete(message);
    messages.set(message, { at: now(), heldBack: 0 });
    for (const oldest of messages.keys()) if (messages.size > MESSAGES_PER_KEY) messages.delete(oldest);
    return true;
  }

  /** The key is well again, or gone: its next message is written at once. Returns whether it had been warned about. */
  clear(key: string): boolean {
    return this.told.delete(key);
  }

  /** Forgets all other keys. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.told.keys()) if (!keys.has(key)) this.told.delete(key);
  }

  private messagesOf(key: string): Map<string, Told> {
    const messages = this.told.get(key) ?? new Map<string, Told>();
    this.told.set(key, messages);
    return messages;
  }
}
