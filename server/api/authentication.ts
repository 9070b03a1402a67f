/** Who may ask for what: users with passwords, bearer tokens, and their roles. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Request, RequestHandler, Response } from 'express';
import type { WebAuthConfig, WebRole, WebToken } from '../config/web-config.ts';
import { NamedFileError } from '../model/named-file-error.ts';
import { clientOf } from './client-address.ts';
import { FailedLogins } from './failed-logins.ts';
import { RequestError } from './params.ts';
import { Passwords, PasswordsBusyError, type PasswordsOptions } from './passwords.ts';

/** A token as it is compared. */
export interface KnownToken {
  readonly role: WebRole;
  readonly digest: Buffer;
}

/** Who is let in, with files read. */
export interface LetIn extends Pick<WebAuthConfig, 'users' | 'openProbes'> {
  readonly tokens: readonly KnownToken[];
}

const PROBES = ['/-/healthy', '/-/ready'];
const READING = ['GET', 'HEAD'];
const LONGEST_FILE = 65_536;

/** Reads the files of tokens. @throws Error in one line that names the file. */
export function readLetIn(auth: WebAuthConfig): LetIn {
  return { ...auth, tokens: auth.tokens.map((token) => ({ role: token.role, digest: digestOf(token) })) };
}

function digestOf({ name, sha256, tokenFile }: WebToken): Buffer {
  if (tokenFile === undefined) return Buffer.from(sha256 ?? '', 'hex');
  let text: string;
  try {
    text = readFileSync(tokenFile, 'utf8').trim();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw new NamedFileError(tokenFile, `cannot be read (${code}): check the path and its permissions`);
  }
  if (/^[\x21-\x7e]+$/.test(text) && text.length <= LONGEST_FILE) return hashed(text);
  throw new NamedFileError(
    tokenFile,
    `holds no token of ${JSON.stringify(name)}: write one line of printable characters`,
  );
}

function hashed(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Lets in who may ask; without a configuration, everybody. */
export class Authentication {
  private readonly passwords: Passwords;
  private readonly failed: FailedLogins;
  private letIn: LetIn | undefined;

  constructor(options: PasswordsOptions) {
    this.passwords = new Passwords(options);
    this.failed = new FailedLogins(options.now);
  }

  /** Who is let in from now on. */
  configure(letIn: LetIn | undefined): void {
    this.letIn = letIn;
    this.passwords.configure(letIn?.users ?? []);
  }

  /** Refuses with 401, 403 or 429. */
  readonly handler: RequestHandler = async (request, response, next) => {
    const { letIn } = this;
    const isReading = READING.includes(request.method);
    if (letIn && !(letIn.openProbes && isReading && PROBES.includes(request.path))) {
      const role = await this.roleOf(request, response, letIn);
      if (role === 'read' && !isReading)
        throw new RequestError('you may only read: this takes the role reload', 403, 'not_allowed');
    }
    next();
  };

  private async roleOf(request: Request, response: Response, letIn: LetIn): Promise<WebRole> {
    const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(request.headers.authorization?.trim() ?? '') ?? [];
    const basic = scheme.toLowerCase() === 'basic' ? namedIn(value) : undefined;
    const known = basic && this.passwords.remembered(basic.name, basic.password);
    if (known) return known.role;
    const isBearer = scheme.toLowerCase() === 'bearer';
    const role = isBearer ? tokenRole(value, letIn.tokens) : undefined;
    if (role) return role;
    const client = clientOf(request);
    if (basic ?? isBearer) this.refuseGuessing(client, response);
    const user = basic && (await this.checked(basic, client, response));
    if (user) return user.role;
    throw unauthorized(response, letIn, request.headers.authorization !== undefined);
  }

  private refuseGuessing(client: string, response: Response): void {
    const wait = this.failed.wait(client);
    if (wait === 0) {
      this.failed.attempt(client);
      return;
    }
    response.set('retry-after', String(wait));
    const message = `too many wrong passwords or tokens from your address: try again in ${wait} s`;
    throw new RequestError(message, 429, 'too_many_failures');
  }

  private async checked({ name, password }: Named, client: string, response: Response) {
    try {
      const user = await this.passwords.check(name, password);
      if (user) this.failed.takeBack(client);
      return user;
    } catch (error) {
      if (!(error instanceof PasswordsBusyError)) throw error;
      response.set('retry-after', '1');
      throw new RequestError('too many are signing in at once: try again in a second', 429, 'too_many');
    }
  }
}

interface Named {
  readonly name: string;
  readonly password: string;
}

function namedIn(base64: string): Named | undefined {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Compares with every token, whichever fits. */
function tokenRole(token: string, tokens: readonly KnownToken[]): WebRole | undefined {
  const digest = hashed(token);
  const roles = tokens.filter((known) => timingSafeEqual(known.digest, digest)).map(({ role }) => role);
  return roles.includes('reload') ? 'reload' : roles[0];
}

function unauthorized(response: Response, { users, tokens }: LetIn, wasTried: boolean): RequestError {
  const ways = [
    ...(users.length > 0 ? ['Basic realm="Sidelight", charset="UTF-8"'] : []),
    ...(tokens.length > 0 ? ['Bearer realm="Sidelight"'] : []),
  ];
  response.set('www-authenticate', ways);
  return new RequestError(
    wasTried ? 'name, password or token are not right' : 'this takes a name and password, or a token',
    401,
    'unauthorized',
  );
}
