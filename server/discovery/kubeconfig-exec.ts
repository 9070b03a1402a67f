/** Credentials that a program gives, by Kubernetes's ExecCredential: clouds and sign-on services have one each. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { at, listAt, textAt } from './kubernetes-pod.ts';

export interface ExecCredential {
  readonly headers: Readonly<Record<string, string>>;
  /** PEM texts; empty where it gives none. */
  readonly cert: string;
  readonly key: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

export interface ExecSurroundings {
  readonly cluster: unknown;
  /** The kubeconfig's, which a relative command with a slash starts from. */
  readonly folder: string;
  readonly now: () => number;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 2 ** 20;
const MAX_SAID = 200;

/** Runs the program when there is no credential, or it has expired; once for all who ask meanwhile. */
export function execPlugin(settings: unknown, surroundings: ExecSurroundings): () => Promise<ExecCredential> {
  let known: Promise<ExecCredential> | undefined;
  let expiresAt = Number.POSITIVE_INFINITY;
  return () => {
    if (known !== undefined && surroundings.now() < expiresAt) return known;
    expiresAt = Number.POSITIVE_INFINITY;
    known = run(settings, surroundings);
    known.then(
      (credential) => {
        expiresAt = credential.expiresAt;
      },
      () => {
        known = undefined;
      },
    );
    return known;
  };
}

async function run(settings: unknown, surroundings: ExecSurroundings): Promise<ExecCredential> {
  const { folder, timeoutMs = TIMEOUT_MS } = surroundings;
  const written = textAt(settings, 'command');
  if (written === '') throw new Error('user.exec has no command');
  const command = written.includes('/') && !written.startsWith('/') ? join(folder, written) : written;
  const args = listAt(settings, 'args').map(String);
  const env = environmentOf(settings, surroundings);
  const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MAX_ANSWER_BYTES } as const;
  const answer = await new Promise<string>((resolve, reject) => {
    const child = execFile(command, args, { env, ...limits }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const { code } = error;
      const hint = firstLine(textAt(settings, 'installHint'));
      if (typeof code === 'string' && /^(ENOENT|EACCES)$/.test(code))
        reject(new Error(`the program ${written} of user.exec can't be run (${code}): install it ${hint}`.trim()));
      else if (error.killed && code !== 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
        reject(new Error(`${written} has not answered within ${timeoutMs / 1000} s: does it wait for a sign-in?`));
      else reject(new Error(`${written} failed: ${firstLine(stderr) || code}`));
    });
    child.stdin?.on('error', () => {}).end();
  });
  return credentialOf(answer, written);
}

function environmentOf(settings: unknown, { cluster }: ExecSurroundings): NodeJS.ProcessEnv {
  const own = listAt(settings, 'env').map((variable) => [textAt(variable, 'name'), textAt(variable, 'value')]);
  const info = {
    apiVersion: textAt(settings, 'apiVersion') || 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, ...(at(settings, 'provideClusterInfo') === true && { cluster }) },
  };
  return { ...process.env, ...Object.fromEntries(own), KUBERNETES_EXEC_INFO: JSON.stringify(info) };
}

function credentialOf(answer: string, command: string): ExecCredential {
  const status = at(parsed(answer), 'status');
  const token = textAt(status, 'token').trim();
  const [cert, key] = [textAt(status, 'clientCertificateData'), textAt(status, 'clientKeyData')];
  const isToken = /^[\x21-\x7e]+$/.test(token);
  if (!isToken && (cert === '' || key === ''))
    throw new Error(`${command} gave no ExecCredential with a token or a client certificate: run it by hand`);
  const expiresAt = Date.parse(textAt(status, 'expirationTimestamp'));
  return {
    headers: isToken ? { authorization: `Bearer ${token}` } : {},
    cert,
    key,
    expiresAt: Number.isNaN(expiresAt) ? Number.POSITIVE_INFINITY : expiresAt,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function firstLine(text: string): string {
  const line = text.split('\n').find((one) => one.trim() !== '') ?? '';
  return line
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_SAID);
}
