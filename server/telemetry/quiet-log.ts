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

/** What is known of one key. */
interface Trouble {
  readonly messages: Map<string, Told>;
  /** Messages in other words than any before that were held back since the last one was written. */
  others: number;
  /** Whether the last thing that was written is that it is in trouble. */
  toldIll: boolean;
  /** Since when it has been ill, or well: one of the two. */
  illSince: number | undefined;
  wellSince: number | undefined;
}

/** Different messages that are told of a key within the quiet time: whoever words each one anew is told of no more. */
const MESSAGES_PER_KEY = 4;
/** What has lasted for this share of the quiet time is no going to and fro. */
const LASTING_SHARE = 0.1;

/**
 * Warns without repeating itself, for things that fail again and again, such as a target.
 * A message of a key is written at once the first time, then held back until `quietMs` have passed since it was
 * written; the next one says how many were held back. Messages that differ in numbers or in what they quote are the same;
 * other messages and other keys are told apart, a few messages of
 * each key. What goes to and fro between well and ill is one trouble; what was told last is true of what lasts.
 */
export class QuietLog {
  private readonly options: QuietLogOptions;
  private readonly troubles = new Map<string, Trouble>();

  constructor(options: QuietLogOptions) {
    this.options = options;
  }

  /** Returns whether the message was written. */
  warn(key: string, message: string, fields: Record<string, unknown> = {}): boolean {
    const { log, now } = this.options;
    const trouble = this.troubleOf(key);
    trouble.wellSince = undefined;
    trouble.illSince ??= now();
    const same = withoutWhatVaries(message);
    const told = trouble.messages.get(same);
    const isNews = !trouble.toldIll && trouble.messages.size > 0 && this.lasts(trouble.illSince);
    if (!isNews && (told ? this.isRecent(told) : this.isFull(trouble))) {
      if (told) told.heldBack++;
      else trouble.others++;
      return false;
    }
    const heldBack = (told?.heldBack ?? 0) + trouble.others;
    log.warn({ ...fields, ...(heldBack > 0 && { heldBack }) }, message);
    trouble.others = 0;
    trouble.toldIll = true;
    trouble.messages.set(same, { at: now(), heldBack: 0 });
    return true;
  }

  /** The key is well. Returns whether that is to be told: not for one that goes to and fro. */
  clear(key: string): boolean {
    const trouble = this.troubles.get(key);
    if (!trouble) return false;
    trouble.illSince = undefined;
    trouble.wellSince ??= this.options.now();
    const isNews = trouble.toldIll;
    trouble.toldIll = false;
    if (this.lasts(trouble.wellSince)) this.troubles.delete(key);
    return isNews;
  }

  /** Forgets all other keys. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.troubles.keys()) if (!keys.has(key)) this.troubles.delete(key);
  }

  private lasts(since: number | undefined): boolean {
    const { quietMs, now } = this.options;
    return since !== undefined && now() - since >= quietMs * LASTING_SHARE;
  }

  private isRecent({ at }: Told): boolean {
    const { quietMs, now } = this.options;
    return now() - at < quietMs;
  }

  /** Forgets what was told long ago, and with it how often it was held back. */
  private isFull(trouble: Trouble): boolean {
    for (const [message, told] of trouble.messages) {
      if (this.isRecent(told)) continue;
      trouble.messages.delete(message);
      trouble.others += told.heldBack;
    }
    return trouble.messages.size >= MESSAGES_PER_KEY;
  }

  private troubleOf(key: string): Trouble {
    const known = this.troubles.get(key);
    if (known && !this.lasts(known.wellSince)) return known;
    const trouble: Trouble = {
      messages: new Map(),
      others: 0,
      toldIll: false,
      illSince: undefined,
      wellSince: undefined,
    };
    this.troubles.set(key, trouble);
    return trouble;
  }
}

function withoutWhatVaries(message: string): string {
  return message.replaceAll(/".*"|\d+/gs, '…');
}
