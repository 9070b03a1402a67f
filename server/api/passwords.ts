/** Checks names and passwords against bcrypt hashes, off the event loop, and remembers for a while which were right. */

import { createHmac, randomBytes } from 'node:crypto';
import { compare } from 'bcrypt';
import type { WebUser } from '../config/web-config.ts';

/** A right password is not worked out again for so long. */
const REMEMBER_MS = 300_000;
const REMEMBER = 1000;
/** Checks at once, out of the four threads that also read files and resolve names; and how many may wait. */
const AT_ONCE = 2;
const WAITING = 100;
/** Of an unknown user nothing but the cost counts. */
const NOBODYS_DIGEST = 'O'.repeat(53);

/** Too many checks wait already. */
export class PasswordsBusyError extends Error {
  override name = 'PasswordsBusyError';
}

export interface PasswordsOptions {
  readonly now: () => number;
  /** bcrypt's compare, unless a test counts its calls. */
  readonly compare?: (password: string, hash: string) => Promise<boolean>;
}

export class Passwords {
  private readonly now: () => number;
  private readonly compare: (password: string, hash: string) => Promise<boolean>;
  /** Of this process alone: what is remembered can't be tried out elsewhere. */
  private readonly secret = randomBytes(32);
  private readonly right = new Map<string, number>();
  private readonly underWay = new Map<string, Promise<boolean>>();
  private readonly waiting: (() => void)[] = [];
  private running = 0;
  private users: ReadonlyMap<string, WebUser> = new Map();
  private nobody = '';

  constructor({ now, compare: compareWith = compare }: PasswordsOptions) {
    this.now = now;
    this.compare = compareWith;
  }

  /** Who there is from now on; what was remembered of others is forgotten. */
  configure(users: readonly WebUser[]): void {
    this.users = new Map(users.map((user) => [user.name, user]));
    const cost = users.map(({ hash }) => hash.slice(4, 6)).reduce((most, next) => (next > most ? next : most), '10');
    this.nobody = `$2b$${cost}$${NOBODYS_DIGEST}`;
    this.right.clear();
  }

  /** The user, if the password is right and that is remembered. */
  remembered(name: string, password: string): WebUser | undefined {
    const user = this.users.get(name);
    if (user === undefined) return undefined;
    return (this.right.get(this.keyOf(user, password)) ?? 0) > this.now() ? user : undefined;
  }

  /**
   * The user, if the password is right. An unknown name takes as long as the costliest known one.
   * @throws PasswordsBusyError
   */
  async check(name: string, password: string): Promise<WebUser | undefined> {
    const user = this.users.get(name);
    const hash = user?.hash.replace(/^\$2y/, '$2b') ?? this.nobody;
    const key = this.keyOf({ name, hash: user?.hash ?? '' }, password);
    const same = this.underWay.get(key) ?? this.inTurn(() => this.compare(password, hash));
    this.underWay.set(key, same);
    const isRight = await same.finally(() => this.underWay.delete(key));
    if (!isRight || user === undefined || this.users.get(name) !== user) return undefined;
    this.remember(key);
    return user;
  }

  private remember(key: string): void {
    this.right.delete(key);
    this.right.set(key, this.now() + REMEMBER_MS);
    for (const oldest of this.right.keys()) if (this.right.size > REMEMBER) this.right.delete(oldest);
  }

  private keyOf({ name, hash }: Pick<WebUser, 'name' | 'hash'>, password: string): string {
    return createHmac('sha256', this.secret)
      .update(JSON.stringify([name, hash, password]))
      .digest('base64');
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= AT_ONCE) {
      if (this.waiting.length >= WAITING) throw new PasswordsBusyError('too many passwords are being checked');
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running++;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}
