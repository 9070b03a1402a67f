import { readFile } from 'node:fs/promises';
import type { AuthSettings } from '../model/reach.ts';

/** Secrets that can't be had; the message names the file and what would be right. */
export class CredentialsError extends Error {
  override name = 'CredentialsError';
}

/** A rotated secret counts after this long. */
const REREAD_MS = 5000;

/** Secrets from files, read again every few seconds at most, for all that need the same ones. */
export class SecretFiles {
  private readonly now: () => number;
  private readonly read = new Map<string, { readonly at: number; readonly text: Promise<string> }>();

  constructor(now: () => number) {
    this.now = now;
  }

  /** The text of a file without white space around it. @throws CredentialsError */
  text(path: string): Promise<string> {
    const known = this.read.get(path);
    if (known && this.now() - known.at < REREAD_MS) return known.text;
    const text = readSecret(path);
    text.catch(() => this.read.delete(path));
    this.read.set(path, { at: this.now(), text });
    return text;
  }
}

async function readSecret(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CredentialsError(`${path} cannot be read (${error.code}): check the path and its permissions`);
  });
  if (!/^[\x20-\x7e]+$/.test(text.trim()))
    throw new CredentialsError(`${path} holds no secret: it is empty, or more than one line of printable characters`);
  return text.trim();
}

/** The Authorization header, or none. @throws CredentialsError */
export async function authorization(auth: AuthSettings | undefined, files: SecretFiles): Promise<string | undefined> {
  if (auth === undefined) return undefined;
  const bearer = auth.bearerTokenFile === undefined ? auth.bearerToken : await files.text(auth.bearerTokenFile);
  if (bearer !== undefined) return `Bearer ${bearer}`;
  if (auth.username === undefined) return undefined;
  const password = auth.passwordFile === undefined ? (auth.password ?? '') : await files.text(auth.passwordFile);
  return `Basic ${Buffer.from(`${auth.username}:${password}`).toString('base64')}`;
}
